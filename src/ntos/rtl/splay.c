/*
 * splay.c - splay trees over RTL_SPLAY_LINKS, which drivers embed in their own structures and search themselves.
 *
 * Links are a driver's memory and may be damaged: a link that does not lead back, or a path longer than any memory
 * could hold, ends in rtl_corrupt instead of an endless loop. Callers synchronise.
 */
#include "rtl.h"
#include "wdk/tables.h"

enum { LONGEST_PATH = 1 << 26 };

static PRTL_SPLAY_LINKS *slot_of(PRTL_SPLAY_LINKS parent, PRTL_SPLAY_LINKS child)
{
    if (parent->LeftChild == child)
        return &parent->LeftChild;
    if (parent->RightChild != child)
        rtl_corrupt(RTL_CORRUPT_TREE, child, "a splay tree's node is no child of its parent");
    return &parent->RightChild;
}

static bool is_root(const RTL_SPLAY_LINKS *links)
{
    return links->Parent == links;
}

static void check_path(ULONG steps, PRTL_SPLAY_LINKS links)
{
    if (steps > LONGEST_PATH)
        rtl_corrupt(RTL_CORRUPT_TREE, links, "a splay tree's links form a circle");
}

/* Exchanges links, which is no root, with its parent. */
static void rotate_up(PRTL_SPLAY_LINKS links)
{
    PRTL_SPLAY_LINKS parent = links->Parent, above = parent->Parent;
    PRTL_SPLAY_LINKS *slot = above == parent ? NULL : slot_of(above, parent);
    PRTL_SPLAY_LINKS moved;
    if (slot_of(parent, links) == &parent->LeftChild) {
        moved = parent->LeftChild = links->RightChild;
        links->RightChild = parent;
    } else {
        moved = parent->RightChild = links->LeftChild;
        links->LeftChild = parent;
    }
    if (moved)
        moved->Parent = parent;
    parent->Parent = links;
    links->Parent = slot ? above : links;
    if (slot)
        *slot = links;
}

/* Makes Links the root of its tree, by the rules of splaying. Returns it. */
PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links)
{
    for (ULONG steps = 0; !is_root(Links); check_path(++steps, Links)) {
        PRTL_SPLAY_LINKS parent = Links->Parent;
        if (!is_root(parent)) {
            bool left = slot_of(parent, Links) == &parent->LeftChild;
            bool parent_left = slot_of(parent->Parent, parent) == &parent->Parent->LeftChild;
            rotate_up(left == parent_left ? parent : Links);
        }
        rotate_up(Links);
    }
    return Links;
}

/* The node that follows Links in its own subtree; null if it has no right child. */
PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS next = Links->RightChild;
    for (ULONG steps = 0; next && next->LeftChild; check_path(++steps, next))
        next = next->LeftChild;
    return next;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS previous = Links->LeftChild;
    for (ULONG steps = 0; previous && previous->RightChild; check_path(++steps, previous))
        previous = previous->RightChild;
    return previous;
}

/* The node that follows Links in the whole tree; null if it is the last. */
PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->RightChild)
        return RtlSubtreeSuccessor(Links);
    for (ULONG steps = 0; !is_root(Links); check_path(++steps, Links)) {
        PRTL_SPLAY_LINKS parent = Links->Parent;
        if (slot_of(parent, Links) == &parent->LeftChild)
            return parent;
        Links = parent;
    }
    return NULL;
}

PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->LeftChild)
        return RtlSubtreePredecessor(Links);
    for (ULONG steps = 0; !is_root(Links); check_path(++steps, Links)) {
        PRTL_SPLAY_LINKS parent = Links->Parent;
        if (slot_of(parent, Links) == &parent->RightChild)
            return parent;
        Links = parent;
    }
    return NULL;
}

/* Puts replacement (or null) where links stands. Links itself keeps its own fields. */
static void replace(PRTL_SPLAY_LINKS links, PRTL_SPLAY_LINKS replacement)
{
    if (!is_root(links))
        *slot_of(links->Parent, links) = replacement;
    if (replacement)
        replacement->Parent = is_root(links) ? replacement : links->Parent;
}

/* Takes links out. Returns a node left near the gap, null if the tree is empty now. */
static PRTL_SPLAY_LINKS take_out(PRTL_SPLAY_LINKS links)
{
    if (!links->LeftChild || !links->RightChild) {
        PRTL_SPLAY_LINKS child = links->LeftChild ? links->LeftChild : links->RightChild;
        replace(links, child);
        return is_root(links) ? child : links->Parent;
    }
    PRTL_SPLAY_LINKS heir = RtlSubtreePredecessor(links), gap = heir->Parent;
    replace(heir, heir->LeftChild);
    replace(links, heir);
    heir->LeftChild = links->LeftChild;
    heir->RightChild = links->RightChild;
    if (heir->LeftChild)
        heir->LeftChild->Parent = heir;
    heir->RightChild->Parent = heir;
    return gap == links ? heir : gap;
}

/* Takes Links out of its tree and splays at the gap. Returns the root, null if the tree is empty. */
PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS near = take_out(Links);
    return near ? RtlSplay(near) : NULL;
}

/* The same without splaying; *Root follows if Links was the root. */
VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    bool was_root = is_root(Links);
    PRTL_SPLAY_LINKS near = take_out(Links);
    if (!was_root)
        return;
    for (ULONG steps = 0; near && !is_root(near); check_path(++steps, near))
        near = near->Parent;
    *Root = near;
}
