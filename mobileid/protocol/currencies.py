"""ISO 4217 codes and their minor units: list one as `iso4217` carries it, whose release is the list's date."""

import iso4217

PUBLISHED = iso4217.__published__
"""When the list was published by ISO's maintenance agency."""

# Metals, bond units, drawing rights, tests and "no currency" have no minor units, and nobody is paid in them.
MINOR_UNITS: dict[str, int] = {
    currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None
}
