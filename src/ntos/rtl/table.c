/*
 * table.c - generic tables on splay trees (RTL_GENERIC_TABLE). The AVL kind is avl.c.
 *
 * An element is one block of the driver's AllocateRoutine: splay links, the link of the insertion order, the user's
 * data. The driver's routines are called as they are: what they raise goes to the driver. No search is longer than the
 * table has elements; one that is ends in rtl_corrupt. Callers synchronise.
 */
#include "rtl.h"
#include "wdk/tables.h"

struct element {
    RTL_SPLAY_LINKS links; /* first, so that a node is its element */
    LIST_ENTRY order;
    ULONG64 data[];
};

static struct element *element_of(PRTL_SPLAY_LINKS links)
{
    return (struct element *)links;
}

static void check_order(PLIST_ENTRY entry)
{
    if (entry->Flink->Blink != entry || entry->Blink->Flink != entry)
        rtl_corrupt(RTL_CORRUPT_LIST, entry, "the insertion order of a generic table is corrupt");
}

VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table, PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine,
                                     PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine,
                                     PRTL_GENERIC_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    *Table = (RTL_GENERIC_TABLE){.CompareRoutine = CompareRoutine,
                                 .AllocateRoutine = AllocateRoutine,
                                 .FreeRoutine = FreeRoutine,
                                 .TableContext = TableContext};
    InitializeListHead(&Table->InsertOrderList);
    Table->OrderedPointer = &Table->InsertOrderList;
}

static TABLE_SEARCH_RESULT search(PRTL_GENERIC_TABLE table, PVOID buffer, PRTL_SPLAY_LINKS *found)
{
    PRTL_SPLAY_LINKS node = table->TableRoot;
    if (!node)
        return TableEmptyTree;
    for (ULONG left = table->NumberGenericTableElements;; left--) {
        if (!left)
            rtl_corrupt(RTL_CORRUPT_TREE, table, "a generic table's tree is deeper than the table has elements");
        RTL_GENERIC_COMPARE_RESULTS order = table->CompareRoutine(table, buffer, element_of(node)->data);
        PRTL_SPLAY_LINKS next = order == GenericLessThan ? node->LeftChild : node->RightChild;
        *found = node;
        if (order != GenericLessThan && order != GenericGreaterThan)
            return TableFoundNode;
        if (!next)
            return order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
        node = next;
    }
}

/* The user data that equals Buffer, null if there is none; where it is or would be goes to *NodeOrParent. */
PVOID NTAPI RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                             TABLE_SEARCH_RESULT *SearchResult)
{
    PRTL_SPLAY_LINKS found = NULL;
    TABLE_SEARCH_RESULT result = search(Table, Buffer, &found);
    *SearchResult = result;
    if (result == TableEmptyTree)
        return NULL;
    *NodeOrParent = found;
    Table->TableRoot = RtlSplay(found);
    return result == TableFoundNode ? element_of(found)->data : NULL;
}

PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PVOID where;
    TABLE_SEARCH_RESULT result;
    return RtlLookupElementGenericTableFull(Table, Buffer, &where, &result);
}

static struct element *new_element(PRTL_GENERIC_TABLE table, PVOID buffer, ULONG size)
{
    if (size > MAXULONG - sizeof(struct element))
        return NULL;
    struct element *element = table->AllocateRoutine(table, (ULONG)sizeof(*element) + size);
    if (!element)
        return NULL;
    element->links = (RTL_SPLAY_LINKS){.Parent = &element->links};
    nt_memcpy(element->data, buffer, size);
    return element;
}

/* Inserts a copy of Buffer where a lookup said. Null: no memory; *NewElement FALSE: it was there. */
PVOID NTAPI RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, ULONG BufferSize,
                                             PBOOLEAN NewElement, PVOID NodeOrParent, TABLE_SEARCH_RESULT SearchResult)
{
    struct element *element = NodeOrParent;
    PRTL_SPLAY_LINKS parent = NodeOrParent;
    bool is_new = SearchResult != TableFoundNode;
    if (is_new) {
        element = new_element(Table, Buffer, BufferSize);
        if (NewElement)
            *NewElement = element != NULL;
        if (!element)
            return NULL;
        if (SearchResult != TableEmptyTree) {
            *(SearchResult == TableInsertAsLeft ? &parent->LeftChild : &parent->RightChild) = &element->links;
            element->links.Parent = parent;
        }
        check_order(&Table->InsertOrderList);
        InsertTailList(&Table->InsertOrderList, &element->order);
        Table->NumberGenericTableElements++;
    } else if (NewElement) {
        *NewElement = FALSE;
    }
    Table->TableRoot = RtlSplay(&element->links);
    return element->data;
}

PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, ULONG BufferSize, PBOOLEAN NewElement)
{
    PRTL_SPLAY_LINKS where = NULL;
    TABLE_SEARCH_RESULT result = search(Table, Buffer, &where);
    return RtlInsertElementGenericTableFull(Table, Buffer, BufferSize, NewElement, where, result);
}

/* FALSE: no element equals Buffer. */
BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS found = NULL;
    if (search(Table, Buffer, &found) != TableFoundNode)
        return FALSE;
    PLIST_ENTRY order = &element_of(found)->order;
    check_order(order);
    Table->TableRoot = RtlDelete(found);
    RemoveEntryList(order);
    Table->NumberGenericTableElements--;
    Table->WhichOrderedElement = 0;
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->FreeRoutine(Table, found);
    return TRUE;
}

static PRTL_SPLAY_LINKS first_node(PRTL_GENERIC_TABLE table)
{
    RTL_SPLAY_LINKS above = {.RightChild = table->TableRoot};
    return RtlSubtreeSuccessor(&above);
}

/* Elements in order, from null in *RestartKey on; null after the last. */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
    PRTL_SPLAY_LINKS node = *RestartKey ? RtlRealSuccessor(*RestartKey) : first_node(Table);
    if (!node)
        return NULL;
    *RestartKey = node;
    return element_of(node)->data;
}

/* The same, splaying each element; the place is the root. */
PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
    if (!Table->TableRoot)
        return NULL;
    PRTL_SPLAY_LINKS node = Restart ? first_node(Table) : RtlRealSuccessor(Table->TableRoot);
    if (!node)
        return NULL;
    Table->TableRoot = RtlSplay(node);
    return element_of(node)->data;
}

/* The I-th element in the order of insertion, from 0; null if there are not so many. */
PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
    if (I >= Table->NumberGenericTableElements)
        return NULL;
    bool onward = Table->WhichOrderedElement && I + 1 >= Table->WhichOrderedElement;
    PLIST_ENTRY entry = onward ? Table->OrderedPointer : Table->InsertOrderList.Flink;
    for (ULONG at = onward ? Table->WhichOrderedElement - 1 : 0; at < I; at++)
        entry = entry->Flink;
    Table->OrderedPointer = entry;
    Table->WhichOrderedElement = I + 1;
    return CONTAINING_RECORD(entry, struct element, order)->data;
}

ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
    return !Table->TableRoot;
}
