"""Recording the steps of a workflow: what each read, wrote and was told."""

from dws_graph.lineage.builder import LineageBuilder
from dws_graph.lineage.parameters import (
    BooleanParameter,
    ChoiceParameter,
    CmdLineParameter,
    ConstantParameter,
    LineageParameter,
    add_lineage_parameters_to_arg_parser,
    get_lineage_parameter_values,
)
from dws_graph.lineage.step import Lineage, ResultsLineage
from dws_graph.model.refs import ResourceRef

__all__ = [
    "BooleanParameter",
    "ChoiceParameter",
    "CmdLineParameter",
    "ConstantParameter",
    "Lineage",
    "LineageBuilder",
    "LineageParameter",
    "ResourceRef",
    "ResultsLineage",
    "add_lineage_parameters_to_arg_parser",
    "get_lineage_parameter_values",
]
