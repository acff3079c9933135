"""What is raised."""


class ElectraError(Exception):
    """The program ended with an error.

    ``exit_code`` is 2 where options or input are wrong and 1 where the machine or the computation failed. The text is the
    program's own, which names the file, the line and what was expected.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type["ElectraError"], tuple[str, int]]:
        return ElectraError, (str(self), self.exit_code)
