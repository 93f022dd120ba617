"""The panel's parameters that are options of a run: made from :class:`seru.options.SegmentOptions`.

A widget of the form takes part by naming the option in Slicer's spelling: ``SlicerParameterName`` is ``allSlices``.
"""

from __future__ import annotations

from typing import Annotated, Any

from slicer.parameterNodeWrapper import Choice, WithinRange

from seru.options import SegmentOptions, Switch, switches
from SERUSegmentationLib.scene.stored_result import ResultState
from SERUSegmentationLib.texts import _

# Of an optional number without a widget's limits: the model's own. No number of ours is negative.
MODELS_OWN = -1.0


def optionParameters() -> type:
    """Return a class whose members are the options that a scene keeps; the parameter node derives from it.

    Returns:
        The class: an annotation and a default for each option that has a paper's way. Device, engine and threads are
        the computer's matter and stay out of the scene.
    """
    kept = _kept()
    members: dict[str, Any] = {"__annotations__": {switch.camel_case: _typeOf(switch) for switch in kept}}
    for switch in kept:
        members[switch.camel_case] = _initial(switch)
    return type("OptionParameters", (), members)


def optionsOf(parameters: Any) -> dict[str, Any]:
    """Return the options that the parameters ask for, by name.

    Args:
        parameters: the module's parameter node.
    """
    # Four decimals are more than sliders have, and what the scene's text of a number keeps.
    values = {switch.name: getattr(parameters, switch.camel_case) for switch in _kept()}
    return {name: _optional(round(value, 4)) if isinstance(value, float) else value for name, value in values.items()}


def stateOf(parameters: Any) -> ResultState:
    """Return the state of a result that the parameters ask for.

    Args:
        parameters: the module's parameter node.
    """
    return ResultState(SegmentOptions(**optionsOf(parameters)).for_result(), parameters.splitSides)


def setState(parameters: Any, state: ResultState) -> None:
    """Let the parameters ask for a state.

    Args:
        parameters: the module's parameter node.
        state: of a result.
    """
    wasModifying = parameters.StartModify()
    for switch in switches():
        if switch.is_of_result:
            value = getattr(state.options, switch.name)
            value = MODELS_OWN if value is None else value
            # A script may go beyond what the widget takes.
            low, high = switch.limits or (value, value)
            setattr(parameters, switch.camel_case, min(max(value, low), high))
    parameters.splitSides = state.splitSides
    parameters.EndModify(wasModifying)


def describeWidgets(ui: Any) -> None:
    """Give each option's widget the option's help as its tooltip: the same words as the command's.

    Args:
        ui: widgets of the panel.
    """
    texts = {switch.camel_case: switch.sentence for switch in switches()}
    for widget in vars(ui).values():
        text = texts.get(optionOf(widget))
        if text:
            widget.toolTip = _(text)


def optionOf(widget: Any) -> str:
    """Return the option that a widget shows, in Slicer's spelling; empty for none.

    Args:
        widget: of the form. Where it shows only part of an option's values, ``SERUOption`` names it.
    """
    return widget.property("SlicerParameterName") or widget.property("SERUOption") or ""


def _kept() -> list[Switch]:
    return [switch for switch in switches() if switch.paper is not None]


def _initial(switch: Switch) -> Any:
    if switch.default is not None:
        return switch.default
    # A slider shows a number from the start; a run takes the model's all the same.
    return switch.paper if switch.limits else MODELS_OWN


def _optional(value: float) -> float | None:
    return None if value == MODELS_OWN else value


def _typeOf(switch: Switch) -> Any:
    if switch.choices:
        return Annotated[str, Choice(list(switch.choices))]
    if switch.limits:
        return Annotated[switch.kind, WithinRange(*switch.limits)]
    return switch.kind
