"""An insurer asks for a package again, as it was sealed or as FHIR: the answer stands in its change feed, encrypted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.claim import consents, rules, versions
from app.claim.contracts import partners
from app.claim.encryption import for_insurer
from app.claim.fhir.bundle import bundle
from app.claim.fhir.checks import problems
from app.claim.fhir.elements import to_json
from app.claim.models.packages import ClaimPackage
from app.claim.queries import lookup
from app.claim.steps import of_insurer
from app.core.errors import Invalid, NotFound
from app.core.jwe import MAX_BYTES, encrypt
from app.core.work import Work
from app.exchange import service as exchange

WHY = "export for the insurer"


def asked(work: Work, insurer_id: UUID, said: partners.ExportAskedIn) -> None:
    """NotFound for another insurer's claim and for one whose package was never delivered; Invalid `no_package_key`,
    `export_too_large`, and `no_consent` after a consent was withdrawn."""
    row = of_insurer(work, insurer_id, said.claim_no)
    sealed = lookup.latest_package(work.session, row.id)
    if sealed is None or sealed.delivered_at is None:
        raise NotFound
    key = exchange.package_key(work.session, insurer_id)
    if key is None:
        raise Invalid("no_package_key", "请先登记理赔包的加密公钥")
    if not consents.share(work, row, "export", rules.IN_PACKAGE, f"{sealed.version} {work.now.isoformat()}"):
        raise Invalid("no_consent", "就诊人已撤回同意")
    plain = versions.read(work, sealed, WHY)
    answer: dict[str, Any] = {"claim_no": row.no, "package_version": sealed.version, "format": said.format}
    if said.format == "fhir":
        text = as_fhir(plain).encode()
        if len(text) > MAX_BYTES:
            raise Invalid("export_too_large", "FHIR 文本超出上限，请改取 package")
        answer["encrypted"] = encrypt(text, key)
    else:
        answer["package"] = for_insurer(plain, {}, key, work.signing.current)
    exchange.publish(work, insurer_id, "claim.export", answer)


def as_fhir(plain: dict[str, Any]) -> str:
    """The bundle as JSON. ValueError if it does not hold together, which would be a fault of ours."""
    made = bundle(plain)
    if found := problems(made):
        raise ValueError(found[0])
    return to_json(made)


def package_file(work: Work, claim_no: str) -> dict[str, Any]:
    """The newest package as its insurer gets it, with its files. NotFound without one."""
    row = lookup.claim_with_no(work.session, claim_no)
    sealed: ClaimPackage | None = lookup.latest_package(work.session, row.id) if row else None
    if row is None or sealed is None:
        raise NotFound
    return versions.to_insurer(work, row, sealed, "written by hand")
