"""B1 translates its sentences to the language of the company; only codes and ODBC numbers stay.

The wording is ours: what matters is that a client which reads English sentences fails here.
"""

from __future__ import annotations

ENGLISH = "en-us"
_SPANISH = {
    301: "La sesión no es válida o ha caducado.",
    -10: "Error interno (-10)",
    -1000: "La propiedad o la consulta no es válida",
    -1013: "Valor demasiado largo en la propiedad",
    -2028: "No existen registros coincidentes (ODBC -2028)",
    -2035: "Esta entrada ya existe en las siguientes tablas (ODBC -2035)",
    -2039: "Otro usuario ha modificado los datos (ODBC -2039)",
    -4006: "Actualice el tipo de cambio",
    -4013: "Período contable bloqueado; especifique otra fecha",
    -4014: "No se puede añadir la línea sin seleccionar todos los números de lote o de serie",
    -5002: "Error de validación",
    -5006: "La acción no está permitida para este objeto",
}
_SENTENCES = {"es-es": _SPANISH}


def translated(code: int, message: str, language: str) -> str:
    """The sentence for a code in that language; the English one where there is none."""
    return _SENTENCES.get(language, {}).get(code, message)
