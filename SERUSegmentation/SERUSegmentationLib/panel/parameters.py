"""From the panel's parameters to what runs and results take."""

from __future__ import annotations

from typing import Any

from seru.options import PostprocessingOptions
from SERUSegmentationLib.scene.stored_result import ResultState


def postprocessingOf(parameters: Any) -> PostprocessingOptions:
    """Return the clean-up that the parameters ask for.

    Args:
        parameters: the module's parameter node.

    Returns:
        Validated options.
    """
    return PostprocessingOptions(
        largest_component_per_side=parameters.largestComponent,
        tumor_touches_kidney=parameters.tumorTouchesKidney,
        minimum_volume_ml=parameters.minimumVolumeMl,
    )


def stateOf(parameters: Any) -> ResultState:
    """Return the state of a result that the parameters ask for.

    Args:
        parameters: the module's parameter node.

    Returns:
        The state.
    """
    # Two decimals are what the slider has.
    return ResultState(round(parameters.alpha, 4), postprocessingOf(parameters), parameters.splitSides)


def setState(parameters: Any, state: ResultState) -> None:
    """Let the parameters ask for a state.

    Args:
        parameters: the module's parameter node.
        state: of a result.
    """
    wasModifying = parameters.StartModify()
    parameters.alpha = round(state.alpha, 4)
    parameters.splitSides = state.splitSides
    parameters.largestComponent = state.postprocessing.largest_component_per_side
    parameters.tumorTouchesKidney = state.postprocessing.tumor_touches_kidney
    parameters.minimumVolumeMl = state.postprocessing.minimum_volume_ml
    parameters.EndModify(wasModifying)
