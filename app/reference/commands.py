"""docs/reference/commands.md: every command and its options, as ``--help`` tells them."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

import click

from app.reference.markdown import anchor, code, described, page, table

_ABOUT: Final = (
    "Each command has `--help`, which says the same. What a command is set by besides its options: "
    "[settings](settings.md). It ends with 0 when all is well, 1 when it could not be done, 2 when "
    "a setting or an argument is wrong."
)

_Found = list[tuple[click.Command, click.Context]]
_Range = click.IntRange | click.FloatRange
_WORDS: Final = {
    "text": "text",
    "integer": "a whole number",
    "integer range": "a whole number",
    "float": "a number",
    "float range": "a number",
    "file": "a file",
    "filename": "a file",
    "directory": "a folder",
    "path": "a path",
    "zone": "a time zone",
    "moment": "a date or a time",
}


def commands_page(cli: click.Group) -> str:
    """The page of this command line. Raises NotDescribedError."""
    top = click.Context(cli, info_name="spanledger")
    found = list(_below(cli, top))
    rows = [
        [_link(ctx), _below_it(ctx, found), command.get_short_help_str(200).rstrip(".")]
        for command, ctx in found
        if ctx.parent is top
    ]
    sections = [part for command, ctx in found for part in _section(command, ctx)]
    return page("Commands", _ABOUT, table(["command", "has", "what it does"], rows), *sections)


def _link(ctx: click.Context) -> str:
    shown = ctx.command_path if ctx.parent and ctx.parent.parent is None else str(ctx.info_name)
    return f"[`{shown}`](#{anchor(ctx.command_path)})"


def _below_it(ctx: click.Context, found: _Found) -> str:
    return ", ".join(_link(each) for _, each in found if each.parent is ctx)


def _below(group: click.Group, ctx: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """All commands of a group, each before those beneath it."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        within = click.Context(command, info_name=name, parent=ctx)
        yield command, within
        if isinstance(command, click.Group):
            yield from _below(command, within)


def _section(command: click.Command, ctx: click.Context) -> Iterator[str]:
    depth = 2 if ctx.parent and ctx.parent.parent is None else 3
    yield f"{'#' * depth} {ctx.command_path}"
    described(command.help, ctx.command_path)
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield code(f"{ctx.command_path} {usage}".strip())
    yield from _paragraphs(command.help)
    options = [
        _option(each, ctx)
        for each in command.params
        if isinstance(each, click.Option) and not each.hidden
    ]
    if options:
        yield table(["option", "takes", "default", "what it does"], options)
    yield from _paragraphs(command.epilog)


def _option(option: click.Option, ctx: click.Context) -> list[str]:
    flags = ", ".join(code(flag) for flag in (*option.opts, *option.secondary_opts))
    told = described(option.help, f"{ctx.command_path} {option.opts[0]}")
    extra = option.get_help_extra(ctx)
    default = code(extra.get("default", ""))
    said = re.fullmatch(r"(.+?) (?:Default: |\[default: )(.+?)[.\]]", told)
    if said and not default:
        told, default = said.groups()
    if extra.get("envvars"):
        told += f" Or the variable {', '.join(map(code, extra['envvars']))}."
    return [flags, _takes(option, ctx), "required" if option.required else default, _prose(told)]


def _takes(option: click.Option, ctx: click.Context) -> str:
    kind = option.type
    if option.is_flag or option.count:
        return ""
    if option.metavar is None and isinstance(kind, click.Choice):
        return ", ".join(code(choice) for choice in kind.choices)
    if option.metavar is None and kind.name in _WORDS:
        return _WORDS[kind.name] + (_bounds(kind) if isinstance(kind, _Range) else "")
    return code(option.make_metavar(ctx))


def _bounds(kind: click.IntRange | click.FloatRange) -> str:
    if kind.min is not None and kind.max is not None:
        return f", {kind.min:,} to {kind.max:,}"
    return f", {kind.min:,} or more" if kind.min is not None else ""


def _paragraphs(text: str | None) -> Iterator[str]:
    """Text of help: what click shows line by line is shown as code."""
    for paragraph in cleandoc(text or "").replace("\f", "").split("\n\n"):
        if paragraph.startswith("\b"):
            first, *rest = paragraph.splitlines()[1:]
            if first.startswith("Example"):
                yield "```\n" + "\n".join(line.strip() for line in rest) + "\n```"
            else:
                yield "```\n" + "\n".join([first, *rest]) + "\n```"
        elif paragraph:
            yield _prose(paragraph)


def _prose(text: str) -> str:
    """On one line, with documents as links, and nothing taken for HTML."""
    told = " ".join(text.split()).replace("<", "&lt;")
    return re.sub(r"\bdocs/([\w-]+\.md)", r"[docs/\1](../\1)", told)
