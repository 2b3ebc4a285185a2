#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Compare hmap.txt and its constants with the header of the interface: each ioctl,
each structure with its fields' order, offsets and sizes, each macro.

usage: syzlang.py		say what differs, and fail if anything does
       syzlang.py --write	write the constants anew
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
UAPI = os.path.join(HERE, "../../kmod/uapi")
TEXT = os.path.join(HERE, "hmap.txt")
CONST = TEXT + ".const"

# What no call takes: it is mapped memory, and what its calls set there.
NOT_PASSED = r"(struct )?hmap_control(_array)?|HMAP_CONTROL_.*"
# What of the system's headers hmap.txt uses.
SYSTEM = {"AT_FDCWD": "(__u64)AT_FDCWD", "O_RDONLY": "O_RDONLY", "O_WRONLY": "O_WRONLY",
          "O_RDWR": "O_RDWR", "O_CLOEXEC": "O_CLOEXEC"}
SIZES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "ptr64": 8, "fd_hmap": 4,
         "uid": 4, "gid": 4, "hmap_epoch": 8, "hmap_place": 8, "hmap_id": 8}


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def wanted(name):
    return not re.fullmatch(NOT_PASSED, name)


def header():
    """The structures and the object-like macros that there are."""
    text = re.sub(r"/\*.*?\*/", "", read(f"{UAPI}/linux/hmap.h"), flags=re.S)
    structs = {}
    for name, body in re.findall(r"struct (\w+) \{(.*?)\n\};", text, re.S):
        structs[name] = re.findall(r"\b(\w+)(?:\[\w+\])?;", body)
    macros = re.findall(r"#define (HMAP_\w+)[ \t]", text)
    return ({name: fields for name, fields in structs.items() if wanted(name)},
            [name for name in macros if wanted(name)])


def compiled(structs, macros):
    """What a compiler makes of them."""
    lines = [f'printf("{name} %llu\\n", (unsigned long long)({value}));'
             for name, value in [(name, name) for name in macros] + list(SYSTEM.items())]
    for name, fields in structs.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for field in fields:
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof(struct {name}, {field}));')
    with tempfile.TemporaryDirectory() as tmp:
        with open(f"{tmp}/a.c", "w", encoding="ascii") as file:
            file.write("#include <fcntl.h>\n#include <stddef.h>\n#include <stdio.h>\n"
                       "#include <linux/hmap.h>\nint main(void)\n{\n" +
                       "\n".join(lines) + "\n}\n")
        subprocess.run(["gcc", "-I", UAPI, "-o", f"{tmp}/a", f"{tmp}/a.c"], check=True)
        out = subprocess.run([f"{tmp}/a"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: int(value) for name, value in map(str.split, out.splitlines())}


def described():
    """The structures of hmap.txt: name -> [(field, type)]."""
    found = {}
    text = re.sub(r"^#.*\n", "", read(TEXT), flags=re.M)
    for name, body in re.findall(r"^(\w+) \{\n(.*?)^\}", text, re.M | re.S):
        fields = [re.sub(r"\s*\((in|out|inout)\)$", "", line.strip())
                  for line in body.splitlines()]
        found[name] = [tuple(line.split(None, 1)) for line in fields]
    return found, text


def size_of(kind, syz, values):
    """Bytes of a type of syzlang that has a fixed size."""
    if kind in syz:
        return sum(size_of(field, syz, values) for _, field in syz[kind])
    match = re.fullmatch(r"(\w+)(?:\[(.*)\])?", kind)
    name, inner = match.group(1), match.group(2)
    if name in SIZES:
        return SIZES[name]
    last = inner.rsplit(",", 1)[1].strip()
    if name == "array":
        return size_of(inner.rsplit(",", 1)[0], syz, values) * values.get(last, 0)
    if name == "string":
        return values[last]
    return SIZES[last]      # const, flags, len, bytesize


def struct_of(name, structs):
    """hmap_entry_insert describes struct hmap_entry."""
    return max((each for each in structs if name == each or name.startswith(each + "_")),
               key=len, default=None)


def differences(structs, macros, values):
    syz, text = described()
    seen = set()
    for name, fields in syz.items():
        struct = struct_of(name, structs)
        if not struct:
            if name != "hmap_cursor":
                yield f"{name} is no structure of the header"
            continue
        seen.add(struct)
        if [field for field, _ in fields] != structs[struct]:
            yield f"{name}: fields differ from those of struct {struct}"
            continue
        at = 0
        for field, kind in fields:
            if at != values[f"{struct}.{field}"]:
                yield f"{name}.{field}: at {at}, not {values[f'{struct}.{field}']}"
            at += size_of(kind, syz, values)
        if at != values[struct]:
            yield f"{name}: {at} bytes, not {values[struct]}"
    for struct in structs.keys() - seen:
        yield f"struct {struct} is not described"
    words = set(re.findall(r"\w+", text))
    for macro in macros:
        if macro not in words:
            yield f"{macro} is not used"
        if macro.startswith("HMAP_IOC_") and f"const[{macro}]" not in text:
            yield f"there is no call of {macro}"
    for word in words:
        if word.startswith("HMAP_") and word not in macros:
            yield f"{word} is not in the header"
    if read(CONST) != constants(macros, values):
        yield "hmap.txt.const is out of date: tools/fuzz/syzlang.py --write"


def constants(macros, values):
    lines = [f"{name} = {values[name]}\n" for name in sorted(macros + list(SYSTEM))]
    return ("# Code generated by syz-sysgen. DO NOT EDIT.\narches = amd64\n" + "".join(lines))


def main():
    structs, macros = header()
    values = compiled(structs, macros)
    if sys.argv[1:] == ["--write"]:
        with open(CONST, "w", encoding="ascii") as file:
            file.write(constants(macros, values))
    wrong = list(differences(structs, macros, values))
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
