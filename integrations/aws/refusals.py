"""What a failed AWS call means: denied or failed, in few words and without secrets."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import CollectError, ConfigError
from engine.model import ScopeStatus
from engine.values import Reason, Unknown

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "Forbidden",
        "403",
    }
)
CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes that mean that the caller is not known, as opposed to not allowed."""
SIGN_IN = "set AWS_PROFILE or run `aws sso login`; `bursar demo` needs no credentials"


def code_of(error: Exception) -> str:
    """Return the error code AWS sent, or the name of what went wrong on the way."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code") or "unknown error")
    return type(error).__name__


def scope_status(error: Exception) -> ScopeStatus:
    """Return what `error` makes of a scope of which nothing was read."""
    return ScopeStatus.DENIED if code_of(error) in DENIED else ScopeStatus.FAILED


def is_refusal(error: Exception) -> bool:
    """Return whether AWS answered, and does not know or not allow the caller."""
    return code_of(error) in DENIED | CREDENTIALS


def told(error: Exception, call: str) -> str:
    """Return `error` for a coverage gap: the call and the code, which never hold anything confidential."""
    verb = "denied" if code_of(error) in DENIED else "failed"
    service, _, operation = call.partition(":")
    # Of several calls in one attempt the error knows which it was.
    return f"{service}:{getattr(error, 'operation_name', operation)} {verb} ({code_of(error)})"


def as_gap(error: Exception, call: str) -> Unknown:
    """Return why a field group is not known."""
    reason = Reason.DENIED if code_of(error) in DENIED else Reason.SOURCE_ERROR
    return Unknown(reason, told(error, call))


def bad_address(address: str) -> ConfigError:
    """Return the error for an endpoint that is no address."""
    hint = "it looks like `http://127.0.0.1:5000`"
    return ConfigError.of("bad-config", f"`{address}` is not the address of a service", where="AWS", hint=hint)


def all_refused(details: Sequence[str]) -> CollectError:
    """Return the error for an account of which not a single scope may be read."""
    told_once = sorted(set(details))
    more = f" and {len(told_once) - 3} more" if len(told_once) > 3 else ""
    message = f"AWS refused everything that was asked: {', '.join(told_once[:3])}{more}"
    hint = "sign in again, or allow the actions that docs/reference/permissions.md lists"
    return CollectError.of("no-credentials", message, where="AWS", hint=hint)


def no_credentials(error: Exception, profile: str, region: str = "") -> ConfigError:
    """Return the error for a session that cannot sign in; `region` says what is odd about where it asks."""
    name = type(error).__name__
    code = code_of(error)
    if name == "ProfileNotFound":
        message, hint = f"there is no AWS profile `{profile}`", "`aws configure list-profiles` lists them"
    elif name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        message, hint = "no AWS credentials were found", SIGN_IN
    elif code in CREDENTIALS or "SSO" in name or "Token" in name:
        message, hint = f"AWS refused the credentials ({code})", SIGN_IN
    else:
        message = f"AWS could not be asked who this is ({code})"
        hint = region or "check the region, the address and the network"
    return ConfigError.of("no-credentials", message, where="AWS", hint=hint)
