// SPDX-License-Identifier: GPL-2.0
/*
 * hmap._view: lookups of a mapped map for Python, where ctypes would cost many
 * times what the lookup does.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API	0x030a0000
#include <Python.h>

#include <hmap.h>
#include <hmap_view.h>

/*
 * View(fd, key type, key size, elem type, elem size): view[key] is NotImplemented
 * for all that is not an ordinary lookup.
 */
struct view {
	PyObject_HEAD
	struct hmap_view *view;
	PyObject *key_type;
	PyObject *elem_type;
	__u32 key_size;
	__u32 elem_size;
};

/* A key as the library takes it; integers are kept in @number. */
struct raw_key {
	const void *data;
	Py_ssize_t len;
	union {
		__u32 u32;
		__u64 u64;
	} number;
};

static int raw_integer(const struct view *v, PyObject *key, struct raw_key *raw)
{
	unsigned long long number = PyLong_AsUnsignedLongLong(key);

	if (PyErr_Occurred())
		return -1;
	raw->data = &raw->number;
	raw->len = v->key_size;
	if (v->key_size == 8)
		raw->number.u64 = number;
	else
		raw->number.u32 = number;
	return v->key_size == 8 || number <= 0xffffffff ? 0 : -1;
}

/* Fails for keys of other types, and those that do not fit. */
static int raw_of(const struct view *v, PyObject *key, struct raw_key *raw)
{
	int err = -1;

	raw->len = 0;
	if ((PyObject *)Py_TYPE(key) != v->key_type)
		return -1;
	if (PyLong_Check(key)) {
		err = raw_integer(v, key, raw);
	} else if (PyUnicode_Check(key)) {
		raw->data = PyUnicode_AsUTF8AndSize(key, &raw->len);
		err = raw->data ? 0 : -1;
	} else if (PyBytes_Check(key)) {
		raw->data = PyBytes_AsString(key);
		raw->len = PyBytes_Size(key);
		err = 0;
	}
	PyErr_Clear();
	return raw->len > HMAP_MAPPED_SIZE_MAX ? -1 : err;
}

static PyObject *to_python(const struct view *v, const void *elem)
{
	if (v->elem_type == (PyObject *)&PyBytes_Type)
		return PyBytes_FromStringAndSize(elem, v->elem_size);
	if (v->elem_type != (PyObject *)&PyLong_Type)
		Py_RETURN_NONE;
	if (v->elem_size == 8)
		return PyLong_FromUnsignedLongLong(*(const __u64 *)elem);
	return PyLong_FromUnsignedLong(*(const __u32 *)elem);
}

static PyObject *get_item(PyObject *self, PyObject *key)
{
	struct view *v = (struct view *)self;
	__u64 elem[HMAP_MAPPED_SIZE_MAX / 8];
	__u32 len = v->elem_size;
	struct raw_key raw;

	if (raw_of(v, key, &raw))
		Py_RETURN_NOTIMPLEMENTED;
	if (!hmap_view_lookup(v->view, raw.data, raw.len, elem, &len))
		return to_python(v, elem);
	if (errno != ENOENT)
		Py_RETURN_NOTIMPLEMENTED;
	PyErr_SetObject(PyExc_KeyError, key);
	return NULL;
}

static void dealloc(PyObject *self)
{
	struct view *v = (struct view *)self;
	PyTypeObject *type = Py_TYPE(self);

	if (v->view)
		hmap_view_close(v->view);
	Py_XDECREF(v->key_type);
	Py_XDECREF(v->elem_type);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *key_type, *elem_type;
	unsigned int key_size, elem_size;
	struct view *v;
	int fd;

	(void)kwargs;
	if (!PyArg_ParseTuple(args, "iOIOI", &fd, &key_type, &key_size,
			      &elem_type, &elem_size))
		return NULL;
	if (elem_size > HMAP_MAPPED_SIZE_MAX) {
		PyErr_SetString(PyExc_ValueError, "the map is not mapped");
		return NULL;
	}
	v = PyObject_New(struct view, type);
	if (!v)
		return NULL;
	Py_INCREF(key_type);
	Py_INCREF(elem_type);
	v->key_type = key_type;
	v->elem_type = elem_type;
	v->key_size = key_size;
	v->elem_size = elem_size;
	v->view = hmap_view(fd);
	if (!v->view) {
		Py_DECREF(v);
		return PyErr_SetFromErrno(PyExc_OSError);
	}
	return (PyObject *)v;
}

static PyType_Slot slots[] = {
	{ Py_tp_new, new },
	{ Py_tp_dealloc, dealloc },
	{ Py_mp_subscript, get_item },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "hmap._view.View",
	.basicsize = sizeof(struct view),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

static PyModuleDef module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "hmap._view",
	.m_size = -1,
};

PyMODINIT_FUNC PyInit__view(void)
{
	PyObject *m = PyModule_Create(&module);

	if (m && PyModule_AddObject(m, "View", PyType_FromSpec(&spec)) < 0)
		return NULL;
	return m;
}
