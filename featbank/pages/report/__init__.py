"""The report: one page that holds everything, or the tables that a paper pastes in."""

from featbank.pages.report.writing import Written, tables_as_text, write_report

__all__ = ["Written", "tables_as_text", "write_report"]
