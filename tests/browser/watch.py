"""What went wrong in a page without being seen."""


class Watched:
    """Notes console errors, uncaught errors and failed requests of a page; ``judge`` fails when there were any.

    ``page.expected`` holds words of what a test provokes on purpose.
    """

    def __init__(self, page):
        self.found = []
        page.expected = self.expected = []
        page.on("console", lambda message: self._note(message.type == "error", f"console: {message.text}"))
        page.on("pageerror", lambda error: self._note(True, f"error: {error}"))
        # A page that is left aborts what it still loads.
        page.on(
            "requestfailed",
            lambda request: self._note(
                request.failure != "net::ERR_ABORTED", f"failed: {request.url} {request.failure}"
            ),
        )
        page.on("response", lambda answer: self._note(answer.status >= 400, f"{answer.status}: {answer.url}"))

    def _note(self, wrong, text):
        if wrong:
            self.found.append(text)

    def judge(self):
        """Fail with all that was noted and not expected."""
        wrong = [text for text in self.found if not any(word in text for word in self.expected)]
        assert not wrong, "\n".join(wrong)
