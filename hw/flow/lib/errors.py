"""What the flow refuses."""


class FlowError(RuntimeError):
    """Something missing or wrong; the message quotes it and says what to do."""
