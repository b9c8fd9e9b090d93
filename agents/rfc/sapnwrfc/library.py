"""SAP's shared library as Python functions that raise instead of returning codes."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import POINTER, Array, Structure, byref, c_int, c_ubyte, c_uint, c_uint16, c_void_p
from pathlib import Path
from typing import Any

from agents.errors import BadSettings

# RFC_RC
COMMUNICATION_FAILURE, LOGON_FAILURE, ABAP_RUNTIME_FAILURE, ABAP_MESSAGE, ABAP_EXCEPTION = 1, 2, 3, 4, 5
ABAP_CLASS_EXCEPTION = 27
# RFCTYPE
T_CHAR, T_DATE, T_BCD, T_TIME, T_BYTE, T_TABLE, T_NUM, T_FLOAT, T_INT, T_INT2, T_INT1 = range(11)
T_STRUCTURE, T_DECF16, T_DECF34, T_STRING, T_XSTRING, T_INT8 = 17, 23, 24, 29, 30, 31
# RFC_DIRECTION
D_IMPORT, D_EXPORT, D_CHANGING, D_TABLES = 1, 2, 3, 7

UTF16 = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"


class RfcError(Exception):
    """What the library said went wrong. :ivar code: RFC_RC"""

    def __init__(self, code: int, group: int, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.code, self.group, self.key, self.message = code, group, key, message


def sap_text(text: str) -> Array[c_uint16]:
    """Text as SAP_UC: UTF-16 with a null at its end."""
    raw = text.encode(UTF16)
    return (c_uint16 * (len(raw) // 2 + 1)).from_buffer_copy(raw + b"\0\0")


def text_of(units: Any, length: int | None = None) -> str:
    """SAP_UC as text, up to its length in units (a character beyond the BMP has two) or its null."""
    raw = bytes(units)
    if length is None:
        return raw.decode(UTF16, "replace").split("\0", 1)[0]
    return raw[: 2 * length].decode(
        UTF16, "replace"
    )  # half a character at the end of a field that was cut in SAP


def _text(length: int) -> type[Array[c_uint16]]:
    return c_uint16 * (length + 1)


class ErrorInfo(Structure):
    """RFC_ERROR_INFO"""

    _fields_ = [
        ("code", c_int),
        ("group", c_int),
        ("key", _text(127)),
        ("message", _text(511)),
        ("abapMsgClass", _text(20)),
        ("abapMsgType", _text(1)),
        ("abapMsgNumber", _text(3)),
        ("abapMsgV1", _text(50)),
        ("abapMsgV2", _text(50)),
        ("abapMsgV3", _text(50)),
        ("abapMsgV4", _text(50)),
    ]


class ConnectionParameter(Structure):
    """RFC_CONNECTION_PARAMETER"""

    _fields_ = [("name", POINTER(c_uint16)), ("value", POINTER(c_uint16))]


class ParameterDesc(Structure):
    """RFC_PARAMETER_DESC"""

    _fields_ = [
        ("name", _text(30)),
        ("type", c_int),
        ("direction", c_int),
        ("nucLength", c_uint),
        ("ucLength", c_uint),
        ("decimals", c_uint),
        ("typeDescHandle", c_void_p),
        ("defaultValue", _text(30)),
        ("parameterText", _text(79)),
        ("optional", c_ubyte),
        ("extendedDescription", c_void_p),
    ]


class FieldDesc(Structure):
    """RFC_FIELD_DESC"""

    _fields_ = [
        ("name", _text(30)),
        ("type", c_int),
        ("nucLength", c_uint),
        ("nucOffset", c_uint),
        ("ucLength", c_uint),
        ("ucOffset", c_uint),
        ("decimals", c_uint),
        ("typeDescHandle", c_void_p),
        ("extendedDescription", c_void_p),
    ]


class Attributes(Structure):
    """RFC_ATTRIBUTES"""

    _fields_ = [
        ("dest", _text(64)),
        ("host", _text(100)),
        ("partnerHost", _text(100)),
        ("sysNumber", _text(2)),
        ("sysId", _text(8)),
        ("client", _text(3)),
        ("user", _text(12)),
        ("language", _text(2)),
        ("trace", _text(1)),
        ("isoLanguage", _text(2)),
        ("codepage", _text(4)),
        ("partnerCodepage", _text(4)),
        ("rfcRole", _text(1)),
        ("type", _text(1)),
        ("partnerType", _text(1)),
        ("rel", _text(4)),
        ("partnerRel", _text(4)),
        ("kernelRel", _text(4)),
        ("cpicConvId", _text(8)),
        ("progName", _text(128)),
        ("partnerBytesPerChar", _text(1)),
        ("partnerSystemCodepage", _text(4)),
        ("partnerIP", _text(15)),
        ("partnerIPv6", _text(45)),
        ("reserved", _text(16)),
    ]


_HANDLE, _NAME, _ERROR = c_void_p, POINTER(c_uint16), POINTER(ErrorInfo)
_GIVES_HANDLE = {  # the arguments before the error info
    "RfcOpenConnection": (POINTER(ConnectionParameter), c_uint),
    "RfcGetFunctionDesc": (_HANDLE, _NAME),
    "RfcCreateFunction": (_HANDLE,),
    "RfcAppendNewRow": (_HANDLE,),
    "RfcGetCurrentRow": (_HANDLE,),
}
_GIVES_CODE = {
    "RfcCloseConnection": (_HANDLE,),
    "RfcCancel": (_HANDLE,),
    "RfcGetConnectionAttributes": (_HANDLE, POINTER(Attributes)),
    "RfcGetParameterCount": (_HANDLE, POINTER(c_uint)),
    "RfcGetParameterDescByIndex": (_HANDLE, c_uint, POINTER(ParameterDesc)),
    "RfcGetFieldCount": (_HANDLE, POINTER(c_uint)),
    "RfcGetFieldDescByIndex": (_HANDLE, c_uint, POINTER(FieldDesc)),
    "RfcDestroyFunction": (_HANDLE,),
    "RfcInvoke": (_HANDLE, _HANDLE),
    "RfcSetString": (_HANDLE, _NAME, _NAME, c_uint),
    "RfcSetInt": (_HANDLE, _NAME, c_int),
    "RfcSetInt8": (_HANDLE, _NAME, ctypes.c_longlong),
    "RfcSetBytes": (_HANDLE, _NAME, POINTER(c_ubyte), c_uint),
    "RfcSetXString": (_HANDLE, _NAME, POINTER(c_ubyte), c_uint),
    "RfcGetChars": (_HANDLE, _NAME, _NAME, c_uint),
    "RfcGetString": (_HANDLE, _NAME, _NAME, c_uint, POINTER(c_uint)),
    "RfcGetStringLength": (_HANDLE, _NAME, POINTER(c_uint)),
    "RfcGetInt": (_HANDLE, _NAME, POINTER(c_int)),
    "RfcGetInt8": (_HANDLE, _NAME, POINTER(ctypes.c_longlong)),
    "RfcGetBytes": (_HANDLE, _NAME, POINTER(c_ubyte), c_uint),
    "RfcGetXString": (_HANDLE, _NAME, POINTER(c_ubyte), c_uint, POINTER(c_uint)),
    "RfcGetStructure": (_HANDLE, _NAME, POINTER(_HANDLE)),
    "RfcGetTable": (_HANDLE, _NAME, POINTER(_HANDLE)),
    "RfcGetRowCount": (_HANDLE, POINTER(c_uint)),
    "RfcMoveTo": (_HANDLE, c_uint),
}


class Library:
    """The loaded library.

    :param folder: where the SDK's libraries are (``nwrfcsdk/lib``)
    :raises BadSettings: it cannot be loaded
    """

    def __init__(self, folder: Path) -> None:
        name = "sapnwrfc.dll" if sys.platform == "win32" else "libsapnwrfc.so"
        try:
            if sys.platform == "win32":
                os.add_dll_directory(str(folder))
            elif (below := folder / "libsapucum.so").exists():
                ctypes.CDLL(str(below), mode=ctypes.RTLD_GLOBAL)
            self._library = ctypes.CDLL(str(folder / name))
        except OSError as error:
            raise BadSettings(f"system: SAP's NW RFC SDK cannot be loaded from {folder}: {error}") from None
        for functions, result in ((_GIVES_HANDLE, c_void_p), (_GIVES_CODE, c_int)):
            for function, arguments in functions.items():
                loaded = getattr(self._library, function)
                loaded.argtypes, loaded.restype = (*arguments, _ERROR), result

    def handle(self, function: str, *arguments: Any) -> int:
        """Call a function that gives a handle. :raises RfcError:"""
        error = ErrorInfo()
        handle = getattr(self._library, function)(*arguments, byref(error))
        if not handle:
            raise _raised(error)
        return int(handle)

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function that gives a code. :raises RfcError:"""
        error = ErrorInfo()
        if getattr(self._library, function)(*arguments, byref(error)):
            raise _raised(error)

    def count(self, function: str, handle: int) -> int:
        """Call a function that counts something. :raises RfcError:"""
        number = c_uint()
        self.call(function, handle, byref(number))
        return number.value

    def child(self, function: str, container: int, name: str) -> int:
        """The handle of a structure or table inside a container. :raises RfcError:"""
        handle = c_void_p()
        self.call(function, container, sap_text(name), byref(handle))
        return int(handle.value or 0)


def _raised(error: ErrorInfo) -> RfcError:
    return RfcError(error.code, error.group, text_of(error.key), text_of(error.message))
