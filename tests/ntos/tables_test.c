/* tables_test.c - splay links and both kinds of generic tables, against a sorted array; damaged ones end in a bug
 * check. */
#include "exports_tests.h"
#include "wdk/tables.h"

enum { KEYS = 500 };

struct node {
    RTL_SPLAY_LINKS links;
    ULONG key;
};
static ULONG blocks; /* allocated by a table's routine and not freed */
static bool refuse;  /* the allocation fails */

static RTL_GENERIC_COMPARE_RESULTS compare(PVOID first, PVOID second)
{
    ULONG a = *(ULONG *)first, b = *(ULONG *)second;
    return a < b ? GenericLessThan : a > b ? GenericGreaterThan : GenericEqual;
}

static PVOID allocate(ULONG size)
{
    if (refuse)
        return NULL;
    blocks++;
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
}

static VOID release(PVOID block)
{
    blocks--;
    ExFreePoolWithTag(block, TAG);
}

#define ROUTINES(kind, table_type)                                                                                     \
    static RTL_GENERIC_COMPARE_RESULTS NTAPI kind##_compare(table_type table, PVOID first, PVOID second)               \
    {                                                                                                                  \
        UNREFERENCED_PARAMETER(table);                                                                                 \
        return compare(first, second);                                                                                 \
    }                                                                                                                  \
    static PVOID NTAPI kind##_allocate(table_type table, ULONG size)                                                   \
    {                                                                                                                  \
        assert_ptr_equal(table->TableContext, &blocks);                                                                \
        return allocate(size);                                                                                         \
    }                                                                                                                  \
    static VOID NTAPI kind##_free(table_type table, PVOID block)                                                       \
    {                                                                                                                  \
        UNREFERENCED_PARAMETER(table);                                                                                 \
        release(block);                                                                                                \
    }
ROUTINES(splay, PRTL_GENERIC_TABLE)
ROUTINES(avl, PRTL_AVL_TABLE)

/* Every key of [0, KEYS) once, in an order that is neither sorted nor reversed. */
static ULONG key_at(ULONG i)
{
    return i * 331 % KEYS;
}

static void splay_tables_keep_sorted_and_insertion_order(void **state)
{
    UNREFERENCED_PARAMETER(state);
    RTL_GENERIC_TABLE table;
    BOOLEAN is_new;
    RtlInitializeGenericTable(&table, splay_compare, splay_allocate, splay_free, &blocks);
    assert_true(RtlIsGenericTableEmpty(&table));
    assert_null(RtlEnumerateGenericTable(&table, TRUE));
    for (ULONG i = 0; i < KEYS; i++) {
        ULONG key = key_at(i), *made = RtlInsertElementGenericTable(&table, &key, sizeof(key), &is_new);
        assert_true(is_new && *made == key && made != &key);
        assert_ptr_equal(RtlInsertElementGenericTable(&table, &key, sizeof(key), &is_new), made);
        assert_false(is_new);
        assert_ptr_equal(RtlSplay(table.TableRoot), table.TableRoot);
    }
    assert_int_equal(RtlNumberGenericTableElements(&table), KEYS);
    ULONG expected = 0, *at;
    PVOID place = NULL;
    for (at = RtlEnumerateGenericTable(&table, TRUE); at; at = RtlEnumerateGenericTable(&table, FALSE))
        assert_int_equal(*at, expected++);
    assert_int_equal(expected, KEYS);
    for (expected = 0; (at = RtlEnumerateGenericTableWithoutSplaying(&table, &place)); expected++)
        assert_int_equal(*at, expected);
    assert_int_equal(expected, KEYS);
    for (ULONG i = 0; i < KEYS; i++)
        assert_int_equal(*(ULONG *)RtlGetElementGenericTable(&table, i), key_at(i));
    assert_int_equal(*(ULONG *)RtlGetElementGenericTable(&table, 3), key_at(3));
    assert_null(RtlGetElementGenericTable(&table, KEYS));
    for (ULONG i = 0; i < KEYS; i++) {
        ULONG key = key_at(KEYS - 1 - i);
        assert_non_null(RtlLookupElementGenericTable(&table, &key));
        assert_true(RtlDeleteElementGenericTable(&table, &key));
        assert_false(RtlDeleteElementGenericTable(&table, &key));
        assert_null(RtlLookupElementGenericTable(&table, &key));
    }
    assert_true(RtlIsGenericTableEmpty(&table));
    assert_int_equal(blocks, 0);
}

/* Heights, balances and parents are as they say. Returns the height. */
static int check_avl(const RTL_BALANCED_LINKS *node, const RTL_BALANCED_LINKS *parent)
{
    if (!node)
        return 0;
    assert_ptr_equal(node->Parent, parent);
    int left = check_avl(node->LeftChild, node), right = check_avl(node->RightChild, node);
    assert_int_equal(node->Balance, right - left);
    assert_in_range(right - left + 1, 0, 2);
    return 1 + (left > right ? left : right);
}

static void check_table(PRTL_AVL_TABLE table)
{
    assert_int_equal(check_avl(table->BalancedRoot.RightChild, &table->BalancedRoot), table->DepthOfTree);
}

static void avl_tables_stay_balanced(void **state)
{
    UNREFERENCED_PARAMETER(state);
    RTL_AVL_TABLE table;
    BOOLEAN is_new;
    RtlInitializeGenericTableAvl(&table, avl_compare, avl_allocate, avl_free, &blocks);
    assert_null(RtlEnumerateGenericTableAvl(&table, TRUE));
    for (ULONG i = 0; i < KEYS; i++) {
        ULONG key = key_at(i), *made = RtlInsertElementGenericTableAvl(&table, &key, sizeof(key), &is_new);
        assert_true(is_new && *made == key);
        check_table(&table);
    }
    assert_int_equal(RtlNumberGenericTableElementsAvl(&table), KEYS);
    for (ULONG i = 0; i < KEYS; i++)
        assert_int_equal(*(ULONG *)RtlGetElementGenericTableAvl(&table, i), i);
    ULONG expected = 0, *at;
    for (at = RtlEnumerateGenericTableAvl(&table, TRUE); at; at = RtlEnumerateGenericTableAvl(&table, FALSE)) {
        ULONG key = *at;
        assert_int_equal(key, expected++);
        if (key % 3 == 0) { /* deleting where the enumeration stands does not disturb it */
            assert_true(RtlDeleteElementGenericTableAvl(&table, &key));
            check_table(&table);
        }
    }
    assert_int_equal(expected, KEYS);
    for (ULONG i = 0; i < KEYS; i++) {
        ULONG key = key_at(i);
        PVOID place;
        assert_int_equal(RtlLookupElementGenericTableAvl(&table, &key) != NULL, key % 3 != 0);
        assert_int_equal(RtlLookupFirstMatchingElementGenericTableAvl(&table, &key, &place) != NULL, key % 3 != 0);
        assert_int_equal(RtlDeleteElementGenericTableAvl(&table, &key), key % 3 != 0);
        check_table(&table);
    }
    assert_true(RtlIsGenericTableEmptyAvl(&table));
    assert_int_equal(table.DepthOfTree, 0);
    assert_int_equal(blocks, 0);
}

static NTSTATUS NTAPI match_even(PRTL_AVL_TABLE table, PVOID data, PVOID match)
{
    UNREFERENCED_PARAMETER(table);
    ULONG key = *(ULONG *)data;
    return key > *(ULONG *)match ? STATUS_NO_MORE_MATCHES : key % 2 ? STATUS_NO_MATCH : STATUS_SUCCESS;
}

static void avl_tables_list_like_directories(void **state)
{
    UNREFERENCED_PARAMETER(state);
    RTL_AVL_TABLE table;
    PVOID place = NULL;
    ULONG deletions, from = 0, last = 10, *at, seen = 0;
    RtlInitializeGenericTableAvl(&table, avl_compare, avl_allocate, avl_free, &blocks);
    for (ULONG key = 1; key < 20; key++)
        RtlInsertElementGenericTableAvl(&table, &key, sizeof(key), NULL);
    deletions = table.DeleteCount;
    at = RtlEnumerateGenericTableLikeADirectory(&table, match_even, &last, FALSE, &place, &deletions, &from);
    while (at) {
        seen++;
        from = *at;
        assert_int_equal(from, seen * 2);
        assert_true(RtlDeleteElementGenericTableAvl(&table, &from)); /* so that it goes on by from's value */
        at = RtlEnumerateGenericTableLikeADirectory(&table, match_even, &last, TRUE, &place, &deletions, &from);
    }
    assert_int_equal(seen, 5);
    while ((at = RtlGetElementGenericTableAvl(&table, 0))) {
        from = *at;
        RtlDeleteElementGenericTableAvl(&table, &from);
    }
    assert_int_equal(blocks, 0);
}

static void no_memory_inserts_nothing(void **state)
{
    UNREFERENCED_PARAMETER(state);
    RTL_AVL_TABLE avl;
    RTL_GENERIC_TABLE splay;
    BOOLEAN is_new = TRUE;
    ULONG key = 1;
    RtlInitializeGenericTableAvl(&avl, avl_compare, avl_allocate, avl_free, &blocks);
    RtlInitializeGenericTable(&splay, splay_compare, splay_allocate, splay_free, &blocks);
    refuse = true;
    assert_null(RtlInsertElementGenericTableAvl(&avl, &key, sizeof(key), &is_new));
    assert_false(is_new);
    is_new = TRUE;
    assert_null(RtlInsertElementGenericTable(&splay, &key, sizeof(key), &is_new));
    assert_false(is_new);
    refuse = false;
    assert_null(RtlInsertElementGenericTableAvl(&avl, &key, MAXULONG, &is_new)); /* the size would wrap */
    assert_null(RtlInsertElementGenericTable(&splay, &key, MAXULONG, &is_new));
    assert_true(RtlIsGenericTableEmptyAvl(&avl) && RtlIsGenericTableEmpty(&splay));
}

static void splay_links_delete_without_a_table(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct node nodes[7] = {0};
    PRTL_SPLAY_LINKS root = &nodes[3].links;
    for (ULONG i = 0; i < 7; i++)
        nodes[i].key = i;
    root->Parent = root;
    for (ULONG i = 0; i < 7; i++) /* 1 and 5 under 3, the even ones under those */
        if (i != 3)
            nodes[i].links.Parent = i % 2 ? root : i < 3 ? &nodes[1].links : &nodes[5].links;
    for (ULONG i = 1; i < 6; i += 2) {
        nodes[i].links.LeftChild = &nodes[i == 3 ? 1 : i - 1].links;
        nodes[i].links.RightChild = &nodes[i == 3 ? 5 : i + 1].links;
    }
    PRTL_SPLAY_LINKS at = &nodes[0].links;
    for (ULONG i = 0; i < 7; i++, at = RtlRealSuccessor(at))
        assert_ptr_equal(at, &nodes[i].links);
    assert_null(at);
    assert_null(RtlRealPredecessor(&nodes[0].links));
    assert_ptr_equal(RtlRealPredecessor(&nodes[4].links), &nodes[3].links);
    assert_ptr_equal(RtlSubtreeSuccessor(root), &nodes[4].links);
    assert_ptr_equal(RtlSubtreePredecessor(root), &nodes[2].links);
    RtlDeleteNoSplay(&nodes[3].links, &root);
    assert_ptr_equal(root, &nodes[2].links);
    root = RtlDelete(&nodes[5].links);
    assert_ptr_equal(RtlSplay(&nodes[0].links), &nodes[0].links);
    ULONG left = 0;
    for (at = &nodes[0].links; at; at = RtlRealSuccessor(at))
        left++;
    assert_int_equal(left, 5);
}

static void follow_a_circle(void)
{
    RTL_SPLAY_LINKS root = {0}, a = {0}, b = {0};
    root.RightChild = &a;
    a.LeftChild = &b;
    b.LeftChild = &a;
    RtlSubtreeSuccessor(&root);
}

static void splay_a_stranger(void)
{
    RTL_SPLAY_LINKS a = {0}, b = {0};
    a.Parent = &b;
    b.Parent = &b;
    RtlSplay(&a);
}

static void look_up_in_a_circle(void)
{
    RTL_AVL_TABLE table;
    ULONG key = 5, other = 9;
    RtlInitializeGenericTableAvl(&table, avl_compare, avl_allocate, avl_free, &blocks);
    RtlInsertElementGenericTableAvl(&table, &key, sizeof(key), NULL);
    PRTL_BALANCED_LINKS root = table.BalancedRoot.RightChild;
    root->RightChild = root;
    RtlLookupElementGenericTableAvl(&table, &other);
}

static void splay_table_in_a_circle(void)
{
    RTL_GENERIC_TABLE table;
    ULONG key = 5, other = 9;
    RtlInitializeGenericTable(&table, splay_compare, splay_allocate, splay_free, &blocks);
    RtlInsertElementGenericTable(&table, &key, sizeof(key), NULL);
    table.TableRoot->RightChild = table.TableRoot;
    RtlLookupElementGenericTable(&table, &other);
}

static void delete_with_a_bad_order(void)
{
    RTL_GENERIC_TABLE table;
    ULONG key = 5;
    RtlInitializeGenericTable(&table, splay_compare, splay_allocate, splay_free, &blocks);
    RtlInsertElementGenericTable(&table, &key, sizeof(key), NULL);
    table.InsertOrderList.Flink = &table.InsertOrderList;
    RtlDeleteElementGenericTable(&table, &key);
}

static void damaged_trees_are_bug_checks(void **state)
{
    UNREFERENCED_PARAMETER(state);
    static const struct {
        void (*action)(void);
        ULONG_PTR first;
    } cases[] = {{follow_a_circle, 29},
                 {splay_a_stranger, 29},
                 {look_up_in_a_circle, 29},
                 {splay_table_in_a_circle, 29},
                 {delete_with_a_bad_order, 3}};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(cases); i++) {
        struct bugcheck_result result = bugcheck_of(cases[i].action);
        if (!result.happened)
            fail_msg("case %u did not bug-check: %s", (unsigned)i, result.report);
        assert_int_equal(result.code, 0x139);
        assert_int_equal(result.parameters[0], cases[i].first);
    }
}

int run_tables_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splay_tables_keep_sorted_and_insertion_order),
        cmocka_unit_test(avl_tables_stay_balanced),
        cmocka_unit_test(avl_tables_list_like_directories),
        cmocka_unit_test(no_memory_inserts_nothing),
        cmocka_unit_test(splay_links_delete_without_a_table),
        cmocka_unit_test(damaged_trees_are_bug_checks),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
