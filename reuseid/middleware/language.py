"""Which language a page is in: the reader's in the back office, English everywhere else."""

from django.conf import settings
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class BackOfficeLanguage(LocaleMiddleware):
    """The cookie's or the browser's language under /admin/; other pages speak English.

    It ends with the request: the thread's next may be one that does not come by here.
    """

    def __call__(self, request):
        with translation.override(settings.LANGUAGE_CODE):
            return super().__call__(request)

    def process_request(self, request):
        if request.path_info.startswith("/admin/"):
            super().process_request(request)
        else:
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request, response):
        if request.path_info.startswith("/admin/"):
            return super().process_response(request, response)
        return response
