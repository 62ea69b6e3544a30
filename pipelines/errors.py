"""What a person can put right. Every message says what is wrong, where, and what to do about it."""


class LabError(Exception):
    """A fault that the person at the keyboard can mend; shown without a traceback."""


class ShopError(LabError):
    """The shop's settings cannot be found or read, or contradict themselves."""


class DeliveryError(LabError):
    """A delivered file cannot be taken as it is."""


class LakeError(LabError):
    """The lake's folder is not a lake, is in use, or lacks what was asked for."""


class AsOfError(LabError):
    """The day asked for cannot be computed from what is loaded."""
