"""Examples for the OpenAPI document."""

from typing import Any

_ID = "6a3f0c9e5b7d42118c0e9f21"
_NAME = "export-activities-0b6f2f0e-6f3c-4c39-9a52-5a2f2c1b7d10.zip"

CONTACTS_BODY: dict[str, Any] = {
    "exportType": "contacts",
    "delimiter": ",",
    "dateFormat": "ISO",
    "version": "v5",
}
ACTIVITIES_BODY: dict[str, Any] = {
    "exportType": "activities",
    "delimiter": ";",
    "dateFormat": "L",
    "filters": {
        "fromDate": "2026-03-01T00:00:00.000Z",
        "toDate": "2026-03-31T23:59:59.999Z",
        "activityTypes": ["purchase", "email-opened"],
    },
}
CREATED: dict[str, Any] = {
    "id": _ID,
    "exportType": "activities",
    "status": "queued",
    "origin": "api",
    "version": "v1",
    "dateFormat": "L",
    "delimiter": ";",
    "filters": ACTIVITIES_BODY["filters"],
    "createdAt": "2026-04-01T08:00:00.000Z",
    "progress": 0,
    "total": 0,
}
FINISHED: dict[str, Any] = {
    **CREATED,
    "status": "finished",
    "finishedAt": "2026-04-01T08:00:12.345Z",
    "progress": 154,
    "total": 154,
    "fileName": _NAME,
    "fileExtension": "zip",
    "fileUrl": f"https://exports.example/files/{_ID}/{_NAME}"
    "?expires=1775036400&nonce=9f2c&key=1&signature=5e1a",
}
REPORT_BODY: dict[str, Any] = {
    "name": "Daily sales",
    "dimensions": ["year", "month", "day"],
    "metrics": ["numberOfPurchases", "totalPurchaseAmount", "numberOfContacts"],
}
REPORT: dict[str, Any] = {"id": "6a393bd445d5668a52fcf7fb", **REPORT_BODY}
DATA_EXPLORER_BODY: dict[str, Any] = {
    "delimiter": ",",
    "filters": {"reportId": REPORT["id"], "fromDate": "2026-03-01", "toDate": "2026-03-31"},
}
DATA_EXPLORER_CREATED: dict[str, Any] = {
    **CREATED,
    "exportType": "data-explorer",
    "dateFormat": "ISO",
    "delimiter": ",",
    "filters": {
        "fromDate": "2026-02-28T23:00:00.000Z",
        "toDate": "2026-03-31T21:59:59.999Z",
        "reportId": REPORT["id"],
    },
}
PAGE: dict[str, Any] = {
    "links": {"next": "https://exports.example/exports/?page=2&pageSize=1"},
    "results": [FINISHED],
}

AUDIT_PAGE: dict[str, Any] = {
    "links": {"next": "https://exports.example/audit/?page=2&pageSize=2"},
    "results": [
        {
            "at": "2026-04-01T08:00:00.000Z",
            "action": "exportStarted",
            "subject": _ID,
            "keyId": "Jm3vYQ0b5cXh2kTz8nWq1A",
        },
        {
            "at": "2026-04-01T07:59:12.345Z",
            "action": "keyCreated",
            "subject": "Jm3vYQ0b5cXh2kTz8nWq1A",
        },
    ],
}


def _error(status: int, title: str, detail: str, **more: str) -> dict[str, Any]:
    return {"status": status, "title": title, "detail": detail, **more}


ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The id or the JSON is malformed, or too many exports are unfinished (code E0301).",
        _error(
            400,
            "Bad Request",
            "5 exports are already waiting; retry later or delete one.",
            code="E0301",
        ),
    ),
    403: (
        "The key lacks the scope, or the account is blocked.",
        _error(403, "Forbidden", "This API key lacks the scope export:write."),
    ),
    404: ("Unknown or deleted.", _error(404, "Not Found", "No export has this id.")),
    409: (
        "The export is not finished, or what is to be made is there already.",
        _error(409, "Conflict", "A manifest comes with the file; this export is not finished."),
    ),
    413: (
        "The body is too long.",
        _error(413, "Content Too Large", "The body is longer than 65536 bytes."),
    ),
    415: (
        "The body is not of the type that is asked for.",
        _error(415, "Unsupported Media Type", "Send application/json."),
    ),
    416: (
        "The range starts behind the end of the file.",
        _error(416, "Range Not Satisfiable", "The file has 4096 bytes."),
    ),
    500: (
        "A fault of the server.",
        _error(500, "Internal Server Error", "The server failed to answer; its log says why."),
    ),
    503: (
        "A part of the server is away, busy or full; ask again after `Retry-After` seconds.",
        _error(503, "Service Unavailable", "The server's catalog is away or busy; ask again soon."),
    ),
}
LINK_REFUSED = _error(
    403,
    "Forbidden",
    "This link has expired or was altered; read the export again for a new one.",
)
VALIDATION_ERROR: dict[str, Any] = {
    **_error(422, "Unprocessable Entity", "The export request is not valid."),
    "validationErrors": [
        {
            "name": "toDate",
            "path": "/filters/toDate",
            "reason": "must be at most 31 days after fromDate",
        },
        {"name": "dateFormat", "path": "/dateFormat", "reason": "is required"},
    ],
}
