"""Which language a page is in: the reader's in the back office, English everywhere else."""

from django.conf import settings
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class BackOfficeLanguage(LocaleMiddleware):
    """The cookie's or the browser's language under /admin/; the API, the phones and the metrics speak English.

    Set on every request, since a worker's thread keeps the language of the one before.
    """

    def process_request(self, request):
        if request.path_info.startswith("/admin/"):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request, response):
        if request.path_info.startswith("/admin/"):
            return super().process_response(request, response)
        return response
