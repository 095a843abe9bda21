"""Why a file could not be read: one exception for each thing that a caller can tell a person to do."""


class ImportFailed(Exception):
    """The import could not start, or stopped before its end. The message says where, why, and the next step."""

    added = 0  # texts that were stored before


class UnknownFormat(ImportFailed):
    """Neither the caller nor the file's ending says how to read it."""


class UnreadableFile(ImportFailed):
    """The file is absent, damaged, or not of the format it claims."""


class NotText(UnreadableFile):
    """A binary file under the name of a text format."""


class WrongEncoding(UnreadableFile):
    """Bytes that are not UTF-8, nor UTF-16."""


class RowTooLong(UnreadableFile):
    """One row is longer than any that may be read into memory."""


class WrongHeader(UnreadableFile):
    """The columns have no names, or two have the same."""


class UnknownColumn(ImportFailed):
    """A column was asked for that the file does not have, or none was found that holds the text."""
