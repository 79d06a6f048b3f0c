"""Networks of other libraries: NIR graphs read, run in float, quantised to a configuration, and written back."""
