"""Text as hostile as shoppers are: shown escaped, stored whole, cut to the ERP's lengths by whoever reads it."""

HOSTILE = (
    "Jane", "Zoë 🎩", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1+1", "שלום עולם", "‮evil", "O'Brien \\ \"x\"",
    "名前", "a" * 10_000, " lead and trail ", "tab\tnew\nline",
)  # fmt: skip
