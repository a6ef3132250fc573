"""Settings: `OUTHAUL_*` variables or a `.env` file; the command line overrides both."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from outhaul.domain.errors import UnsafeSettings


class Settings(BaseSettings):
    """Every setting has a default that suits one machine."""

    model_config = SettingsConfigDict(
        env_prefix="OUTHAUL_", env_file=".env", extra="ignore", frozen=True
    )

    data: Path = Field(Path("outhaul-data"), description="Data directory.")
    files: str | None = Field(
        None,
        description="Where slices and archives are: a directory, or a URL such as"
        " s3://bucket/folder; without it DATA/files.",
    )
    files_public_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+/?$",
        description="Where clients reach the bucket, if not at AWS_ENDPOINT_URL; for redirects.",
    )
    downloads: Literal["server", "redirect"] = Field(
        "server",
        description="Whether files come through the server or, by a redirect, from the bucket.",
    )
    catalog: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://.+$",
        repr=False,  # It may hold a password.
        description="postgresql://user:secret@host/database, shared by several processes; without"
        " it DATA/catalog.db.",
    )
    node_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#]+[^?#]*$",
        description="Where other nodes that share the catalog reach this one's API.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#]+[^?#]*$",
        description="Base of the file links, such as https://exports.example.com; without it the"
        " address that the request was sent to.",
    )
    rate_limit: int = Field(100, ge=1, description="Requests a minute and account.")
    queue_limit: int = Field(5, ge=1, description="Unfinished exports an account may have.")
    link_minutes: int = Field(100, ge=1, description="How long a file link is good.")
    session_minutes: float = Field(
        720, gt=0, description="How long somebody stays signed in to the console."
    )
    retention_days: float | None = Field(
        None, gt=0, description="After how long an ended export and its file are deleted."
    )
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Slices rendered at the same time; by default one a core.",
    )
    account_steps: int | None = Field(
        None,
        ge=1,
        description="Steps of one account that are done at the same time, over all nodes; by"
        " default as many as there are workers.",
    )
    drain_seconds: float = Field(
        25, ge=0, description="How long outhaul worker goes on with work in hand when stopped."
    )
    slice_rows: int = Field(250_000, ge=1000, description="Rows of a slice, about.")
    unload_rows: int | None = Field(
        None,
        ge=1,
        description="From how many rows on an export is shared with other nodes; eight slices.",
    )
    memory_limit: str = Field(
        "512MB",
        pattern=r"^\d+ ?[KMGT]i?B$",
        description="Memory of the data engine; the process needs some 150 MB beside it.",
    )
    lease_seconds: float = Field(
        30, gt=0, description="After how long without a sign of life work is taken over."
    )
    fault_limit: int = Field(3, ge=1, description="Faults of one step before an export fails.")
    takeover_limit: int = Field(
        10,
        ge=1,
        description="Workers that may die or hang on one step or import before it is given up.",
    )
    stall_seconds: float = Field(
        300, gt=0, description="After how long without progress a step is taken over."
    )
    metrics_address: str | None = Field(
        None,
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):\d{1,5}$",
        description="Host and port of an address for `/metrics` alone, such as 127.0.0.1:9464;"
        " without it the server's own has it.",
    )
    traces: bool = Field(
        False, description="Whether steps of exports are traced, to where OTEL_ variables say."
    )
    warehouse: SecretStr | None = Field(
        None,
        description="URL of the engine whose tables are exported instead of stored data, such as"
        " sc://host:15002; it may hold a token.",
    )
    warehouse_file: Path | None = Field(
        None,
        description="What the tables and columns of the warehouse are called; by default"
        " warehouse.toml in the data directory.",
    )
    log_level: str = Field(
        "INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="How much is logged."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Whether a line of the log is for people or a JSON object."
    )

    def check_node(self) -> None:
        """For a process that shares its catalog with others. Raises UnsafeSettings."""
        if self.catalog is None:
            raise UnsafeSettings(
                "outhaul worker shares a catalog with servers: set OUTHAUL_CATALOG to"
                " postgresql://...; on one machine outhaul serve does all the work"
            )
        if self.files is None:
            raise UnsafeSettings(
                "OUTHAUL_CATALOG is shared, but archives would lie on this machine alone: set"
                " OUTHAUL_FILES to a place that all nodes reach, such as s3://bucket/folder or a"
                " directory on a shared file system"
            )
        if self.node_url is None and self.host in {"0.0.0.0", "::"}:  # noqa: S104 -- compared with
            raise UnsafeSettings(
                "OUTHAUL_CATALOG is shared and OUTHAUL_HOST stands for every address: set"
                " OUTHAUL_NODE_URL to where other nodes reach this one, such as"
                " http://10.0.0.5:8080"
            )

    @property
    def mapping_file(self) -> Path:
        """What the tables of the warehouse are called."""
        return self.warehouse_file or self.data / "warehouse.toml"

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        """Raises UnsafeSettings, which says what to set."""
        if self.files is not None and self.files.startswith("memory:"):
            raise UnsafeSettings(
                "OUTHAUL_FILES is memory://, where archives would be gone with the process: set a"
                " directory, or a URL such as s3://bucket/folder"
            )
        if self.downloads == "redirect" and "://" not in (self.files or ""):
            raise UnsafeSettings(
                "OUTHAUL_DOWNLOADS=redirect needs files in a bucket: set OUTHAUL_FILES to a URL"
                " such as s3://bucket/folder, or OUTHAUL_DOWNLOADS=server"
            )
        return self
