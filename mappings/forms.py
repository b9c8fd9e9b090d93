"""The forms of the mapping screens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from mappings import changes
from mappings.changes import Change
from mappings.csv_format import MOST_BYTES
from mappings.keys import normal
from mappings.kinds import EXTRA_NAMES, SPECS, Kind, KindSpec
from mappings.models import TARGET_LENGTH, Mapping


class TargetPicker(UnfoldAdminTextInputWidget):
    """A text input that offers values of the ERP company while one types; what is typed is checked on saving."""

    def __init__(self, extra: str = "") -> None:
        super().__init__(attrs={"data-target-picker": extra or "target", "autocomplete": "off"})

    class Media:
        js = ["mappings/target_picker.js"]


class MappingForm(forms.ModelForm):
    """One mapping. Set, kind, key and day say which rule it is and do not change; saving makes a version."""

    kind = forms.ChoiceField(
        choices=[(kind.value, SPECS[kind].label) for kind in Kind], widget=UnfoldAdminSelectWidget
    )
    target = forms.CharField(max_length=TARGET_LENGTH, widget=TargetPicker)
    cost_center = forms.CharField(
        required=False,
        label="Cost center",
        help_text="For G/L accounts; optional.",
        widget=TargetPicker("cost_center"),
    )
    source = forms.ChoiceField(
        required=False,
        label="Takes",
        help_text="For field rules: whether the target is a field of the store or a fixed text.",
        choices=[("", "–"), ("field", "a field of the store"), ("constant", "this text")],
        widget=UnfoldAdminSelectWidget,
    )
    why = forms.CharField(
        required=False,
        label="Why",
        help_text="Kept with this version.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    class Meta:
        model = Mapping
        fields = ["mapping_set", "kind", "key", "effective_from", "target"]
        labels = {"mapping_set": "Set of mappings"}
        help_texts = {
            "key": "A SKU, tax, payment method, shipping method, ... as the store has it; * stands for any text, "
            "as in HAT-*. Order lines: sku:HAT-BLUE, category:12, segment:Wholesale or default. "
            "ERP fields: invoice:U_Channel."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["target"].label = self.spec.target_label
            for name in EXTRA_NAMES:
                if name in self.fields:
                    self.fields[name].initial = self.instance.extra.get(name, "")

    @property
    def spec(self) -> KindSpec:
        """Of the row that is changed."""
        return SPECS[Kind(self.instance.kind)]

    @property
    def change(self) -> Change:
        """What the person wants. Fields that are not in the form are the row's own."""
        known = {name: getattr(self.instance, name) for name in ("kind", "key", "effective_from")}
        entered = {name: self.cleaned_data[name] for name in known if name in self.cleaned_data}
        extra = {name: self.cleaned_data.get(name) or "" for name in EXTRA_NAMES}
        return Change(target=self.cleaned_data["target"], extra=extra, **{**known, **entered})

    def clean(self) -> dict[str, Any]:
        """Refuse what the ERP company does not offer, and a second rule for the same key."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        mapping_set = cleaned.get("mapping_set") or self.instance.mapping_set
        if self.instance.pk is None:
            cleaned["key"] = normal(cleaned["key"])
            if changes.present_at(mapping_set, [self.change.place]):
                raise ValidationError("This key is mapped already. Change that mapping instead.")
        if refusals := changes.check(mapping_set, [self.change]):
            raise ValidationError([refusal.sentence for refusal in refusals])
        return cleaned

    def validate_constraints(self) -> None:
        """`clean` has looked, in words people understand; the database looks again."""


class UploadForm(forms.Form):
    """A CSV file to be previewed."""

    file = forms.FileField(
        label="CSV file",
        help_text=f"UTF-8, at most {MOST_BYTES // 1024 // 1024} MB. Nothing changes before you have seen what would.",
        widget=UnfoldAdminFileFieldWidget,
    )


class WhyForm(forms.Form):
    """The reason of a change."""

    why = forms.CharField(
        required=False,
        label="Why",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
