# SPDX-License-Identifier: GPL-2.0
from typing import Any

class View:
    def __init__(self, fd: int, key: type, key_size: int, elem: type,
                 elem_size: int, /) -> None: ...
    def __getitem__(self, key: Any) -> Any: ...
