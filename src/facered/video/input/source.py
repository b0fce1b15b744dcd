"""Where a stream comes from: a pipe, a file, a camera or an address, and how it is opened."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError
from av.format import Flags

from facered.errors import ConfigurationUnsupportedError, ContentMalformedError
from facered.video.address import OPEN_TIMEOUT, READ_TIMEOUT, is_url, shown_address
from facered.video.input.decode import reason
from facered.video.input.local import open_file
from facered.video.input.peek import NUT, Y4M
from facered.video.input.remote import open_address, open_standard_input
from facered.video.protocols import unknown

if TYPE_CHECKING:
    from av.container import InputContainer

STANDARD_INPUT = "-"
"""The address that stands for it."""
_RAW = {"fpsprobesize": "2", "analyzeduration": "500000"}
"""All that there is to know of raw pictures stands in the header: waiting for more would be a delay."""
_ABSENT = (av.error.ProtocolNotFoundError, av.error.HTTPClientError)
_NO_FILE = cast("int", Flags.no_file.value)
_CAMERAS = "/dev/video"
_MISSING = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENODEV, errno.EACCES, errno.EPERM, errno.EBUSY,
     errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.EADDRNOTAVAIL, errno.EADDRINUSE)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """What is opened, and how.

    Attributes
    ----------
    address : str
        `STANDARD_INPUT`, a file's name, a URL where no file has that name, or a device, as FFmpeg names it.
    format : str or None
        FFmpeg's name of the format or device; None finds out.
    options : mapping of str to str
        FFmpeg's options of protocol and format.
    number : int
        Which of several video streams.
    reconnect : float
        For how many seconds to try again after a loss.
    restarts : bool
        Whether pictures of another size come as they are; otherwise they are fitted into the first one's.
    """

    address: str = STANDARD_INPUT
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    reconnect: float = 0.0
    restarts: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "standard input" if self.address == STANDARD_INPUT else shown_address(self.address)

    @property
    def live(self) -> bool:
        """Whether it is a device or an address on the network, not a file or a pipe."""
        if self.address == STANDARD_INPUT or (is_url(self.address) and self.address.startswith("file:")):
            return False
        return is_url(self.address) or self._device is not None

    @property
    def _device(self) -> str | None:
        """FFmpeg's name of the kind of device, if it is one."""
        if self.format is None:
            return "v4l2" if self.address.startswith(_CAMERAS) else None
        with suppress(ValueError):  # `open` says what is wrong
            device = self.format != "image2" and av.ContainerFormat(self.format, "r").flags & _NO_FILE
            return self.format if device else None
        return None

    def open(self, beginning: bytes = b"") -> InputContainer:
        """Open it; what begins as `beginning` need not be looked at for long.

        Raises
        ------
        ConfigurationUnsupportedError
            It is not there.
        ContentMalformedError
            What comes is no video.
        """
        options = {**(_RAW if beginning.startswith((NUT, Y4M)) else {}), **self.options}
        try:
            if self.address == STANDARD_INPUT:
                return open_standard_input(self.format, options)
            if not self.live and not is_url(self.address):
                return open_file(Path(self.address), self.format, options)
            timeout = (OPEN_TIMEOUT, READ_TIMEOUT) if self.live else None
            return open_address(self.address, self._device or self.format, options, timeout)
        except (FFmpegError, OSError, ValueError) as error:
            number, why = getattr(error, "errno", None), reason(error)
            if isinstance(error, av.error.ExitError):
                raise ConfigurationUnsupportedError(f"{self.name}: no answer in {OPEN_TIMEOUT:.0f} s") from error
            if isinstance(error, ValueError) and not isinstance(error, FFmpegError):  # PyAV's word for unknown formats
                raise ConfigurationUnsupportedError(f"{self.name}: {why}") from error
            if isinstance(error, av.error.ProtocolNotFoundError):
                raise ConfigurationUnsupportedError(unknown(self.address, self.name)) from error
            if number in _MISSING or isinstance(error, _ABSENT):
                raise ConfigurationUnsupportedError(f"{self.name}: cannot be opened ({why})") from error
            raise ContentMalformedError(f"{self.name}: not a readable video ({why})") from error
