"""What to tell a person when TLS with an engine fails."""

import ssl

from .address import Address

_NAME_ERRORS = frozenset({62, 64})
"""Verification codes of OpenSSL: the certificate is for another name, or another IP address."""
_DATE_ERRORS = frozenset({9, 10})
"""It is not valid yet, or no more."""


def explain(error: ssl.SSLError, address: Address) -> str:
    """One line: what is wrong and what to do."""
    site = address.site
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAME_ERRORS:
            advice = "use the name that the certificate is for"
        elif error.verify_code in _DATE_ERRORS:
            advice = "renew it, or set the clock right"
        else:
            advice = "to trust it, name a file with it or its authority in SSL_CERT_FILE"
        return f"the certificate of {site} is not trusted: {error.verify_message.rstrip('.')}; {advice}"
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}:
        return f"{site} does not speak TLS: try http://{site}{address.prefix}"
    return f"no TLS with {site}: {(error.reason or str(error)).replace('_', ' ').lower()}"
