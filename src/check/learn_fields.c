/*
 * learn_fields.c - what the words of a request mean to the driver, from what changes with them.
 *
 * Told in a roomy copy of the request, whose blocks are larger than they need be: a length that grows is then one, and
 * does not run into the end of its buffer.
 */
#include "learn_internal.h"
#include <string.h>

enum { CELL = 4, FIRST_CELLS = 16 /* of the input: they are looked at in any case */ };

struct fields {
    struct learner *learner;
    struct learned *learned;
    struct learn_kept roomy;
};

static struct learn_field *add_field(struct learned *learned, unsigned block, uint32_t offset, uint32_t size)
{
    struct learn_field *field = &learned->fields[learned->field_count];
    if (learned->field_count == LEARN_FIELDS)
        return NULL;
    *field = (struct learn_field){.block = block, .offset = offset, .size = size};
    learned->field_count++;
    return field;
}

/* Only what leaves the request as it is. */
static bool make_roomy(struct fields *fields, const struct learn_kept *base)
{
    struct learner *learner = fields->learner;
    struct learn_input input = base->input;
    fields->roomy.input = base->input;
    if (!learn_run(learner, &input, true))
        return false;
    learn_take(learner, &fields->roomy);
    for (unsigned i = input.block_count; i-- > 0;) {
        input = fields->roomy.input;
        uint32_t size = i > LEARN_OUT ? LEARN_SIZE_MAX : LEARN_BYTES;
        if (input.size[i] >= size)
            continue;
        learn_input_resize(&input, i, size);
        if (!learn_run(learner, &input, true))
            return false;
        if (keys_are_equal(&learner->trial.met, &fields->roomy.met)) {
            fields->roomy.input = input;
            learn_take(learner, &fields->roomy);
        }
    }
    return true;
}

/* ---- what a word does ---- */

/* Runs the request with another value in a field; kinds: what that shows. False: no more. */
static bool vary(struct fields *fields, const struct learn_field *field, uint64_t value, unsigned *kinds)
{
    struct learner *learner = fields->learner;
    const struct trial *trial = &learner->trial;
    struct learn_input input = fields->roomy.input;
    learn_input_put(&input, field->block, field->offset, value, field->size);
    if (!learn_run(learner, &input, true))
        return false;
    bool same_places = keys_are_equal(&trial->met, &fields->roomy.met),
         same_shape = trial->shape == fields->roomy.shape;
    if (same_places && !same_shape)
        *kinds |= LEARN_LENGTH;
    if (!same_places || (same_shape && !keys_are_equal(&trial->reached, &fields->roomy.reached)))
        *kinds |= LEARN_COMPARED;
    return true;
}

static unsigned kinds_of(struct fields *fields, const struct learn_field *field)
{
    const uint64_t now = field->value, first[] = {now + 1, ~(uint64_t)0, 0},
                   more[] = {now + 2, 2 * now, now - 1, 3, 7, 0x20, 0x41414141};
    unsigned kinds = 0;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        if (!vary(fields, field, first[i], &kinds))
            return kinds;
    for (size_t i = 0; kinds && i < sizeof(more) / sizeof(more[0]); i++)
        if (!vary(fields, field, more[i], &kinds))
            return kinds;
    return kinds;
}

/* ---- constants ---- */

struct way {
    uint64_t met, reached, shape;
};

static uint64_t digest(const struct keys *keys)
{
    uint64_t hash = keys->count;
    for (size_t i = 0; i < keys->count; i++)
        hash = (hash ^ keys->of[i]) * 0x9E3779B97F4A7C15;
    return hash;
}

static bool way_of(struct fields *fields, const struct learn_field *field, uint64_t value, struct way *way)
{
    const struct trial *trial = &fields->learner->trial;
    unsigned kinds = 0;
    if (!vary(fields, field, value, &kinds))
        return false;
    *way = (struct way){digest(&trial->met), digest(&trial->reached), trial->shape};
    return true;
}

static bool parts(const struct way *one, const struct way *other)
{
    return one->met != other->met || (one->shape == other->shape && one->reached != other->reached);
}

/* A driver's constant of which the values beside it lead elsewhere. */
static bool is_turning_point(struct fields *fields, const struct learn_field *field, uint64_t value)
{
    struct way at, below, above;
    return way_of(fields, field, value, &at) && way_of(fields, field, value - 1, &below) &&
           way_of(fields, field, value + 1, &above) && (parts(&at, &below) || parts(&at, &above));
}

static void add_constant(struct learn_field *field, uint64_t value)
{
    unsigned at = field->constant_count;
    if (at == LEARN_CONSTANTS)
        return;
    for (; at && field->constants[at - 1] > value; at--)
        field->constants[at] = field->constants[at - 1];
    field->constants[at] = value;
    field->constant_count++;
}

static void find_constants_of(struct fields *fields, struct learn_field *field)
{
    const struct learner *learner = fields->learner;
    struct keys tried = {0};
    for (size_t i = 0; i < learner->constant_count; i++) {
        uint64_t value = learner->constants[i].value;
        if (learn_constant_counts(learner, i) && !(value >> 8 * field->size) && keys_add(&tried, value) &&
            is_turning_point(fields, field, value))
            add_constant(field, value);
    }
    keys_free(&tried);
}

/* ---- all of them ---- */

static void look_at(struct fields *fields, unsigned block, uint32_t offset)
{
    const struct learn_input *input = &fields->roomy.input;
    const unsigned link = learn_input_link(input, block, offset, CELL);
    if (link < input->link_count) {
        if (input->links[link].offset == offset && fields->roomy.extent[input->links[link].to]) {
            struct learn_field *field = add_field(fields->learned, block, offset, 8);
            if (field)
                field->kinds = LEARN_POINTER;
        }
        return;
    }
    struct learn_field *field = add_field(fields->learned, block, offset, CELL);
    if (!field)
        return;
    field->value = learn_input_get(input, block, offset, CELL);
    field->kinds = kinds_of(fields, field);
    if (!field->kinds)
        fields->learned->field_count--;
}

void learn_find_fields(struct learner *learner, const struct learn_kept *base, struct learned *learned)
{
    struct fields fields = {.learner = learner, .learned = learned};
    if (make_roomy(&fields, base))
        for (unsigned block = 0; block < base->input.block_count; block++)
            for (uint32_t at = 0; at + CELL <= learn_input_bytes(&base->input, block); at += CELL)
                if (fields.roomy.words_read[block] >> at / 8 & 1 || (block == LEARN_IN && at / CELL < FIRST_CELLS))
                    look_at(&fields, block, at);
    for (unsigned i = 0; i < learned->field_count; i++)
        if (learned->fields[i].kinds & LEARN_COMPARED)
            find_constants_of(&fields, &learned->fields[i]);
    keys_free(&fields.roomy.reached);
    keys_free(&fields.roomy.met);
}
