/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/field.h"

const char *field_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

bool field_real(const json_t *object, const char *key, double *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		return false;
	*ret = json_number_value(value);
	return true;
}

/* A real counts too: a reader that met a figure over 2^63 has read all of them as reals. */
bool field_int(const json_t *object, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	if (!json_is_real(value) ||
	    !(json_real_value(value) > -9e18 && json_real_value(value) < 9e18))
		return false;
	*ret = (int64_t)json_real_value(value);
	return true;
}

int64_t field_int_or(const json_t *object, const char *key, int64_t fallback)
{
	int64_t value = fallback;

	field_int(object, key, &value);
	return value;
}

bool field_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int64_t field_sum(const json_t *object)
{
	uint64_t sum = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) if (json_is_integer(value)) sum +=
	    (uint64_t)json_integer_value(value);
	return (int64_t)sum;
}
