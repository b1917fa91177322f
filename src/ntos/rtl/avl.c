/*
 * avl.c - generic tables on AVL trees (RTL_AVL_TABLE).
 *
 * An element is one block of the driver's AllocateRoutine: balanced links, then the user's data. An AVL tree of 2^32
 * elements is less than 48 deep, so a longer path, like a link that does not lead back, ends in rtl_corrupt. Callers
 * synchronise.
 */
#include "rtl.h"
#include "wdk/tables.h"

enum { DEEPEST = 64 };

typedef PRTL_BALANCED_LINKS NODE;

static PVOID data_of(NODE node)
{
    return node + 1;
}

static void check_depth(ULONG steps, const void *where)
{
    if (steps > DEEPEST)
        rtl_corrupt(RTL_CORRUPT_TREE, where, "an AVL table's tree is deeper than any can be");
}

static NODE *child(NODE node, bool right)
{
    return right ? &node->RightChild : &node->LeftChild;
}

/* -1: node is its parent's left child; 1: its right one. */
static int side_of(NODE parent, NODE node)
{
    if (parent->RightChild == node)
        return 1;
    if (parent->LeftChild != node)
        rtl_corrupt(RTL_CORRUPT_TREE, node, "an AVL table's node is no child of its parent");
    return -1;
}

static void replace(NODE node, NODE replacement)
{
    *child(node->Parent, side_of(node->Parent, node) > 0) = replacement;
    if (replacement)
        replacement->Parent = node->Parent;
}

/* The child of node on that side goes up, node down to the other side. */
static void rotate(NODE node, bool right)
{
    NODE up = *child(node, right), moved = *child(up, !right);
    replace(node, up);
    *child(node, right) = moved;
    if (moved)
        moved->Parent = node;
    *child(up, !right) = node;
    node->Parent = up;
}

/* node leans to side by two. True: its subtree is one less deep now. *top: the subtree's new root. */
static bool rebalance(NODE node, int side, NODE *top)
{
    NODE heavy = *child(node, side > 0);
    if (!heavy)
        rtl_corrupt(RTL_CORRUPT_TREE, node, "an AVL table's balance is wrong");
    if (heavy->Balance != -side) {
        bool shrunk = heavy->Balance == side;
        rotate(node, side > 0);
        node->Balance = (signed char)(shrunk ? 0 : side);
        heavy->Balance = (signed char)(shrunk ? 0 : -side);
        *top = heavy;
        return shrunk;
    }
    NODE middle = *child(heavy, side < 0);
    if (!middle)
        rtl_corrupt(RTL_CORRUPT_TREE, heavy, "an AVL table's balance is wrong");
    rotate(heavy, side < 0);
    rotate(node, side > 0);
    node->Balance = (signed char)(middle->Balance == side ? -side : 0);
    heavy->Balance = (signed char)(middle->Balance == -side ? side : 0);
    middle->Balance = 0;
    *top = middle;
    return true;
}

/* node is new, a leaf in its place. */
static void grow(PRTL_AVL_TABLE table, NODE node)
{
    NODE parent = node->Parent;
    for (ULONG steps = 0; parent != &table->BalancedRoot; check_depth(++steps, table)) {
        int side = side_of(parent, node);
        if (parent->Balance == -side) {
            parent->Balance = 0;
            return;
        }
        if (parent->Balance) {
            rebalance(parent, side, &node);
            return;
        }
        parent->Balance = (signed char)side;
        node = parent;
        parent = node->Parent;
    }
    table->DepthOfTree++;
}

/* The subtree of node on side is one less deep. */
static void shrink(PRTL_AVL_TABLE table, NODE node, int side)
{
    for (ULONG steps = 0; node != &table->BalancedRoot; check_depth(++steps, table)) {
        if (!node->Balance) {
            node->Balance = (signed char)-side;
            return;
        }
        if (node->Balance == side)
            node->Balance = 0;
        else if (!rebalance(node, -side, &node))
            return;
        side = side_of(node->Parent, node);
        node = node->Parent;
    }
    table->DepthOfTree--;
}

static NODE outermost(NODE node, bool right)
{
    for (ULONG steps = 0; node && *child(node, right); check_depth(++steps, node))
        node = *child(node, right);
    return node;
}

static NODE neighbour(PRTL_AVL_TABLE table, NODE node, bool right)
{
    if (*child(node, right))
        return outermost(*child(node, right), !right);
    for (ULONG steps = 0; node->Parent != &table->BalancedRoot; check_depth(++steps, table)) {
        int side = side_of(node->Parent, node);
        node = node->Parent;
        if ((side > 0) != right)
            return node;
    }
    return NULL;
}

static NODE first_node(PRTL_AVL_TABLE table)
{
    return outermost(table->BalancedRoot.RightChild, false);
}

static TABLE_SEARCH_RESULT search(PRTL_AVL_TABLE table, PVOID buffer, NODE *found)
{
    NODE node = table->BalancedRoot.RightChild;
    if (!node)
        return TableEmptyTree;
    for (ULONG steps = 0;; check_depth(++steps, table)) {
        RTL_GENERIC_COMPARE_RESULTS order = table->CompareRoutine(table, buffer, data_of(node));
        *found = node;
        if (order != GenericLessThan && order != GenericGreaterThan)
            return TableFoundNode;
        NODE next = *child(node, order == GenericGreaterThan);
        if (!next)
            return order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
        node = next;
    }
}

VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table, PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                        PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine, PRTL_AVL_FREE_ROUTINE FreeRoutine,
                                        PVOID TableContext)
{
    *Table = (RTL_AVL_TABLE){.CompareRoutine = CompareRoutine,
                             .AllocateRoutine = AllocateRoutine,
                             .FreeRoutine = FreeRoutine,
                             .TableContext = TableContext};
    Table->BalancedRoot.Parent = &Table->BalancedRoot;
}

/* Inserts a copy of Buffer where a lookup said. Null: no memory; *NewElement FALSE: it was there. */
PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, ULONG BufferSize,
                                                PBOOLEAN NewElement, PVOID NodeOrParent,
                                                TABLE_SEARCH_RESULT SearchResult)
{
    bool is_new = SearchResult != TableFoundNode;
    NODE node = NodeOrParent, parent = SearchResult == TableEmptyTree ? &Table->BalancedRoot : NodeOrParent;
    if (is_new)
        node = BufferSize > MAXULONG - sizeof(*node) ? NULL
                                                     : Table->AllocateRoutine(Table, (ULONG)sizeof(*node) + BufferSize);
    if (NewElement)
        *NewElement = is_new && node;
    if (!is_new || !node)
        return node ? data_of(node) : NULL;
    *node = (RTL_BALANCED_LINKS){.Parent = parent};
    nt_memcpy(data_of(node), Buffer, BufferSize);
    *child(parent, SearchResult != TableInsertAsLeft) = node;
    Table->NumberGenericTableElements++;
    Table->WhichOrderedElement = 0;
    grow(Table, node);
    return data_of(node);
}

PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, ULONG BufferSize, PBOOLEAN NewElement)
{
    NODE where = NULL;
    TABLE_SEARCH_RESULT result = search(Table, Buffer, &where);
    return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, where, result);
}

static void take_out(PRTL_AVL_TABLE table, NODE node)
{
    NODE gap = node->Parent;
    int side = side_of(gap, node);
    if (!node->LeftChild || !node->RightChild) {
        replace(node, node->LeftChild ? node->LeftChild : node->RightChild);
    } else {
        NODE heir = outermost(node->RightChild, false);
        gap = heir->Parent;
        side = side_of(gap, heir);
        replace(heir, heir->RightChild);
        replace(node, heir);
        heir->LeftChild = node->LeftChild;
        heir->RightChild = node->RightChild;
        heir->Balance = node->Balance;
        heir->LeftChild->Parent = heir;
        if (heir->RightChild)
            heir->RightChild->Parent = heir;
        gap = gap == node ? heir : gap;
    }
    shrink(table, gap, side);
}

/* FALSE: no element equals Buffer. An enumeration that stands on the element goes on after it. */
BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    NODE node = NULL;
    if (search(Table, Buffer, &node) != TableFoundNode)
        return FALSE;
    if (Table->RestartKey == node)
        Table->RestartKey = neighbour(Table, node, false);
    take_out(Table, node);
    Table->DeleteCount++;
    Table->NumberGenericTableElements--;
    Table->WhichOrderedElement = 0;
    Table->FreeRoutine(Table, node);
    return TRUE;
}

/* The user data that equals Buffer, null if there is none; where it is or would be goes to *NodeOrParent. */
PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                                TABLE_SEARCH_RESULT *SearchResult)
{
    NODE found = NULL;
    *SearchResult = search(Table, Buffer, &found);
    if (*SearchResult != TableEmptyTree)
        *NodeOrParent = found;
    return *SearchResult == TableFoundNode ? data_of(found) : NULL;
}

PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    NODE found = NULL;
    return search(Table, Buffer, &found) == TableFoundNode ? data_of(found) : NULL;
}

/* The first in order of the elements that equal Buffer; *RestartKey is for the enumeration of the rest. */
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *RestartKey)
{
    NODE node = NULL, before;
    if (search(Table, Buffer, &node) != TableFoundNode)
        return NULL;
    for (ULONG left = Table->NumberGenericTableElements; (before = neighbour(Table, node, false)); node = before) {
        if (Table->CompareRoutine(Table, Buffer, data_of(before)) != GenericEqual)
            break;
        if (!left--)
            rtl_corrupt(RTL_CORRUPT_TREE, Table, "an AVL table has more elements than it counts");
    }
    *RestartKey = node;
    return data_of(node);
}

/* Elements in order, from null in *RestartKey on; null after the last. */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
    NODE node = *RestartKey ? neighbour(Table, *RestartKey, true) : first_node(Table);
    if (!node)
        return NULL;
    *RestartKey = node;
    return data_of(node);
}

PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
    PVOID key = Restart ? NULL : Table->RestartKey;
    PVOID data = RtlEnumerateGenericTableWithoutSplayingAvl(Table, &key);
    if (data)
        Table->RestartKey = key;
    return data;
}

/*
 * The next element MatchFunction (null: any) accepts, from *RestartKey on; after a deletion, from where Buffer's data
 * is or would be. NextFlag: not that element again. The function says STATUS_NO_MORE_MATCHES to end the search.
 */
PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table, PRTL_AVL_MATCH_FUNCTION MatchFunction,
                                                   PVOID MatchData, ULONG NextFlag, PVOID *RestartKey,
                                                   PULONG DeleteCount, PVOID Buffer)
{
    NODE node = *DeleteCount == Table->DeleteCount ? *RestartKey : NULL;
    bool onward = NextFlag != 0;
    if (!node) {
        TABLE_SEARCH_RESULT result = search(Table, Buffer, &node);
        onward = result == TableInsertAsRight || (result == TableFoundNode && NextFlag);
    }
    if (node && onward)
        node = neighbour(Table, node, true);
    while (node && MatchFunction) {
        NTSTATUS status = MatchFunction(Table, data_of(node), MatchData);
        if (status == STATUS_SUCCESS)
            break;
        node = status == STATUS_NO_MORE_MATCHES ? NULL : neighbour(Table, node, true);
    }
    *RestartKey = node;
    *DeleteCount = Table->DeleteCount;
    return node ? data_of(node) : NULL;
}

/* The I-th element in sort order, from 0; null if there are not so many. */
PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements)
        return NULL;
    bool onward = Table->WhichOrderedElement && I + 1 >= Table->WhichOrderedElement;
    NODE node = onward ? Table->OrderedPointer : first_node(Table);
    for (ULONG at = onward ? Table->WhichOrderedElement - 1 : 0; node && at < I; at++)
        node = neighbour(Table, node, true);
    if (!node)
        rtl_corrupt(RTL_CORRUPT_TREE, Table, "an AVL table has fewer elements than it counts");
    Table->OrderedPointer = node;
    Table->WhichOrderedElement = I + 1;
    return data_of(node);
}

ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
    return !Table->NumberGenericTableElements;
}
