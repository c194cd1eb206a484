"""Identity as other features see it."""

from __future__ import annotations

from app.identity.consent.queries import ConsentView, consent
from app.identity.consent.rules import CURRENT_WORDING, usual_scope
from app.identity.consent.service import WantedConsent, give_consent, withdraw_consent
from app.identity.consent.sharing import Sharing, consents_in_force, may_be_shared, note_shared, was_shared
from app.identity.credential.service import (
    AppCredentials,
    MerchantCredentials,
    PayingAccount,
    app_credentials,
    apps_of,
    merchant_credentials,
    merchant_may_use,
    merchant_owners,
    party_of_app,
    paying_bank_account,
)
from app.identity.login.service import AccountView, account, account_by_openid, follow, payment_identity
from app.identity.operators.service import logins as operator_logins
from app.identity.operators.service import platform_operator
from app.identity.person.cards import require_medical_card
from app.identity.person.contracts import TieIn
from app.identity.person.patients import (
    account_ref,
    patient_number,
    patient_numbers,
    person_of_patient,
    set_patient_number,
    set_patient_numbers,
    ties,
)
from app.identity.person.people import PersonFacts, facts, facts_of, note_identity_image, readable_facts_of
from app.identity.person.phone_codes import PhoneCode
from app.identity.person.phone_codes import issue as issue_phone_code
from app.identity.person.pulls import AwaitedRecords, awaited_records
from app.identity.person.queries import (
    BindingView,
    BoundPair,
    PersonView,
    acts_for,
    bound_pair,
    bound_pairs,
    guardian_of,
    is_acted_for,
    is_child,
    live_bindings,
    names,
    require_bound,
    require_person,
)
from app.identity.person.rules import is_patient_number

__all__ = [
    "CURRENT_WORDING",
    "AccountView",
    "AppCredentials",
    "AwaitedRecords",
    "BindingView",
    "BoundPair",
    "ConsentView",
    "MerchantCredentials",
    "PayingAccount",
    "PersonFacts",
    "PersonView",
    "PhoneCode",
    "Sharing",
    "TieIn",
    "WantedConsent",
    "account",
    "account_by_openid",
    "account_ref",
    "acts_for",
    "app_credentials",
    "apps_of",
    "awaited_records",
    "bound_pair",
    "bound_pairs",
    "consent",
    "consents_in_force",
    "facts",
    "facts_of",
    "follow",
    "give_consent",
    "guardian_of",
    "is_acted_for",
    "is_child",
    "is_patient_number",
    "issue_phone_code",
    "live_bindings",
    "may_be_shared",
    "merchant_credentials",
    "merchant_may_use",
    "merchant_owners",
    "names",
    "note_identity_image",
    "note_shared",
    "operator_logins",
    "party_of_app",
    "patient_number",
    "patient_numbers",
    "paying_bank_account",
    "payment_identity",
    "person_of_patient",
    "platform_operator",
    "readable_facts_of",
    "require_bound",
    "require_medical_card",
    "require_person",
    "set_patient_number",
    "set_patient_numbers",
    "ties",
    "usual_scope",
    "was_shared",
    "withdraw_consent",
]
