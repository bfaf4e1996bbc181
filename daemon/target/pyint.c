/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* longobject.c: digits of 30 bits, least significant first; the sign is with their count. */
#include "daemon/target/pyint.h"

#include <errno.h>
#include <stdbool.h>

#include "daemon/base/cleanup.h"

#define DIGITS_MAX 64 /* of 30 bits: 578 decimal digits; longer ones are only counted */
#define DIGIT_BITS 30
#define TAG_NEGATIVE 2 /* lv_tag & 3, 3.12+ */

struct number {
	uint64_t ndigits;
	bool negative;
	uint32_t digits[DIGITS_MAX];
};

static int number_size(const struct pyreader *reader, uint64_t object, struct number *number)
{
	bool tagged = reader->objects->long_tag != PY_NONE;
	uint64_t word;
	int r = pyreader_u64(
	    reader, object, tagged ? reader->objects->long_tag : reader->objects->long_size, &word);

	if (r < 0)
		return r;
	number->negative = tagged ? (word & 3) == TAG_NEGATIVE : (int64_t)word < 0;
	number->ndigits = tagged ? word >> 3 : number->negative ? -word : word;
	return 0;
}

static int number_read(const struct pyreader *reader, uint64_t object, struct number *number)
{
	int r = number_size(reader, object, number);

	if (r < 0 || !number->ndigits)
		return r;
	return mem_read(reader->mem, object + reader->objects->long_digits, number->digits,
			MIN(number->ndigits, DIGITS_MAX) * sizeof(number->digits[0]));
}

int pyint_u64(const struct pyreader *reader, uint64_t object, uint64_t *ret_value)
{
	struct number number = {0};
	unsigned __int128 value = 0;
	int r = number_read(reader, object, &number);

	if (r < 0)
		return r;
	if (number.negative || number.ndigits > 3)
		return -ERANGE;
	for (uint64_t i = number.ndigits; i-- > 0;)
		value = value << DIGIT_BITS | number.digits[i];
	if (value > UINT64_MAX)
		return -ERANGE;
	*ret_value = (uint64_t)value;
	return 0;
}

/* Divides in place; returns the remainder. */
static uint32_t number_divide(struct number *number, uint32_t by)
{
	uint64_t rest = 0;

	for (uint64_t i = number->ndigits; i-- > 0;) {
		rest = rest << DIGIT_BITS | number->digits[i];
		number->digits[i] = (uint32_t)(rest / by);
		rest %= by;
	}
	while (number->ndigits && !number->digits[number->ndigits - 1])
		number->ndigits--;
	return (uint32_t)rest;
}

int pyint_add(const struct pyreader *reader, uint64_t object, struct text *out)
{
	uint32_t parts[DIGITS_MAX + 8]; /* of nine decimal digits, which are almost 30 bits */
	struct number number = {0};
	unsigned n = 0;
	int r = number_read(reader, object, &number);

	if (r < 0)
		return r;
	if (number.ndigits > DIGITS_MAX) {
		text_printf(out, "<int of about %llu bits>",
			    (unsigned long long)number.ndigits * DIGIT_BITS);
		return 0;
	}
	for (uint64_t i = 0; i < number.ndigits; i++)
		if (number.digits[i] >> DIGIT_BITS)
			return -EBADMSG;
	do
		parts[n++] = number_divide(&number, 1000000000);
	while (number.ndigits && n < ARRAY_SIZE(parts));
	text_printf(out, "%s%u", number.negative ? "-" : "", parts[n - 1]);
	while (--n)
		text_printf(out, "%09u", parts[n - 1]);
	return 0;
}
