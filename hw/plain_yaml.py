"""YAML as plain values, for files that a user names: a key twice, an alias, great depth or size is refused."""

import yaml

MOST_BYTES = 1 << 20


class YamlError(ValueError):
    """Text that is not plain YAML; the message fits a line."""


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):  # a few nested ones are gigabytes once written out
            raise YamlError("an alias (*name): write the value itself")
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise YamlError(f"key {key!r} twice (line {node.value[i][0].start_mark.line + 1})")
        return super().construct_mapping(node, deep)


def read(path):
    """Plain values of a YAML file; raises `YamlError`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise YamlError(f"{path.stat().st_size} bytes, the most is {MOST_BYTES}")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, OSError, ValueError, TypeError) as error:
        raise YamlError(" ".join(str(error).split())) from None
    except RecursionError:
        raise YamlError("nested too deeply") from None
