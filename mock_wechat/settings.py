"""What may differ from one real account to the next, and what a test or a demonstration wants shorter."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

NOTIFY_LADDER_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)


@dataclass
class Settings:
    """The double's settings. All can be given in the world's `wechat.settings` or changed at `/__mock__/settings`.

    Points that the public documentation leaves open are settings, not constants:

    - `bill_hash_over`: whether a bill's SHA-1 is over the "decompressed" or the "compressed" file;
    - `associated_data`: original_type -> associated data of a notification (default: the original_type itself);
    - `repost_returns_package_info`: whether repeating a transfer bill hands out its package_info again;
    - `transfer_conflict_code`, `transfer_unknown_code`: errors for a re-used number and for an unknown bill;
    - `short_balance`: "PROCESSING" leaves a transfer waiting for a top-up, "NOT_ENOUGH" refuses it with 403;
    - `scenes`: the transfer scenes that WeChat Pay has opened for the merchants;
    - `transfer_max_fen`, `transfer_day_max_fen`: limits per transfer and per payee and day, 0 for none;
    - `transfer_account`: which account pays transfers, "OPERATION" or "BASIC";
    - `template_refusals`: template id -> errcode with which its messages are refused (43116, 43117, …).

    `platform_certificates` gives the merchants a platform certificate beside the public key, as during the change from
    one to the other; `notices_signed_by` is then "public_key", "certificate" or "either" (by turns).
    `ladder_factor` multiplies every pause of the notification ladder. `business_date` (YYYY-MM-DD), when set, is the
    date under which the bills book everything; otherwise the clock's date in Shanghai counts.
    `bills_wait` keeps a day's bills back until 10:00 of the next day. Durations end in `_s`.
    """

    bill_hash_over: str = "decompressed"
    associated_data: dict[str, str] = field(default_factory=dict)
    repost_returns_package_info: bool = True
    transfer_conflict_code: str = "INVALID_REQUEST"
    transfer_unknown_code: str = "NOT_FOUND"
    short_balance: str = "PROCESSING"
    scenes: list[str] = field(default_factory=lambda: ["1000", "1002", "1004", "1005", "1009", "1010", "1011", "1013"])
    transfer_max_fen: int = 0
    transfer_day_max_fen: int = 0
    transfer_account: str = "OPERATION"

    notify_ladder_s: list[float] = field(default_factory=lambda: list(NOTIFY_LADDER_S))
    ladder_factor: float = 1.0
    answer_within_s: float = 5.0
    lenient_notify_url: bool = True
    refuse_replayed_nonce: bool = True
    platform_certificates: bool = False
    notices_signed_by: str = "public_key"
    fee_rate: str = "0.006"
    refund_takes_s: float = 0.2
    refund_gap_s: float = 60.0
    transfer_takes_s: float = 0.0
    cancel_takes_s: float = 0.0
    transfer_expires_s: float = 86400.0
    bills_wait: bool = True
    bill_starts_with_bom: bool = True
    business_date: str = ""

    template_finish_s: float = 0.0
    token_day_quota: int = 2000
    force_refresh_day_quota: int = 20
    template_day_quota: int = 100_000
    template_refusals: dict[str, int] = field(default_factory=dict)

    def change(self, values: dict[str, Any]) -> None:
        """Set the named values; an unknown name is a ValueError, so that a typing error is seen."""
        known = {f.name for f in fields(self)}
        unknown = set(values) - known
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in values.items():
            setattr(self, name, value)
