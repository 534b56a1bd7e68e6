"""The door: what is too large, or empty, is refused before it is stored."""

from typing import Any, Final

from django import forms

LARGEST: Final = 10 * 1024 * 1024
"""Bytes of an upload."""
TOO_LARGE: Final = f"Too large: at most {LARGEST // 1024**2} MB."


class PhotoForm(forms.Form):
    """What the bytes are is for the task to say: looking at them is work, and may be dangerous."""

    use_required_attribute = False  # without a file, one is painted

    photo = forms.FileField(
        label="Photo",
        max_length=200,
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty.",
            "max_length": "The file's name is too long.",
        },
        widget=forms.FileInput(attrs={"accept": "image/*", "id": "photo-file"}),
    )

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        if photo and photo.size > LARGEST:
            raise forms.ValidationError(TOO_LARGE)
        return photo
