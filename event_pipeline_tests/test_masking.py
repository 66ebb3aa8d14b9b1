"""Secrets are masked wherever they stand; what is no secret stays readable."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.masking import MASK, SecretMask, is_telling, mask_userinfo, secrets_of
from event_pipeline.settings import Settings
from event_pipeline_tests.effort import scaled

TELLING = """
password db_password Password userPasswd token accessToken refresh_token resume_token secret client_secret api_key
apiKey apikey API_KEY identity_key key keys private_key authorization Authorization proxy-authorization credentials
credential cookie set-cookie X-Api-Key
"""
HARMLESS = """
asset_key assetKey run_key partition_key step_key primary_key keyboard monkey event document_id credentials_path
token_count user_id row_count
"""
# Without '*', which the mask itself is made of.
SECRETS = st.text(st.characters(exclude_characters="*", exclude_categories=("Cs",)), min_size=4, max_size=40)


def test_name_that_tells_of_a_secret() -> None:
    assert [name for name in TELLING.split() if not is_telling(name)] == []


def test_name_that_tells_of_none() -> None:
    assert [name for name in ["", *HARMLESS.split()] if is_telling(name)] == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://user:pw@host/path?x=1", "see https://****@host/path?x=1"),
        ("postgresql://u@h/db and s3://k:v@b", "postgresql://****@h/db and s3://****@b"),
        ("https://host/a@b", "https://host/a@b"),
        ("asha@example.org", "asha@example.org"),
    ],
)
def test_userinfo_is_masked(text: str, masked: str) -> None:
    assert mask_userinfo(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter22",
        "host=db password='hunter22' user=x",
        'body was {"client_secret": "hunter22", "x": 1}',
        "Authorization: Bearer hunter22hunter22",
        "GET /x?access_token=hunter22&y=1",
        "-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----",
    ],
)
def test_secret_inside_a_sentence_is_masked(text: str) -> None:
    assert "hunter22" not in SecretMask().mask(text)


def test_what_stands_beside_a_secret_stays() -> None:
    assert SecretMask().mask("host=db password='x y' user=me") == f"host=db password={MASK} user=me"


def test_secrets_of_settings_include_passwords_in_addresses() -> None:
    settings_ = Settings.model_validate(
        {
            "identity_key": "private-key",
            "catalog_url": "postgresql://u:catalog-pw@h/db",
            "dagster_url": "https://u:dagster-pw@h",
            "firebase": {"database_url": "https://u:firebase-pw@h"},
        }
    )
    assert secrets_of(settings_) == {
        "private-key",
        "postgresql://u:catalog-pw@h/db",
        "catalog-pw",
        "dagster-pw",
        "firebase-pw",
    }


@settings(deadline=None, max_examples=scaled(200))
@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
def test_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    mask = SecretMask([secret])
    for text in (secret, quote(secret, safe="")):
        masked = mask.mask({"a": [before + text + after]})["a"][0]
        assert text not in masked or text in before + MASK + after


@settings(deadline=None, max_examples=scaled(100))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(alphabet="abc /", max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("pqrs"), inner, max_size=4),
        max_leaves=20,
    )
)
def test_event_without_secrets_is_left_as_it_is(value) -> None:
    assert SecretMask(["a-known-secret"]).mask(value) == value


def test_bottomless_value_ends() -> None:
    value: list = []
    value.append(value)
    assert MASK in str(SecretMask().mask(value))


@pytest.mark.parametrize(
    "text", ["a." * 500_000, "password" * 100_000, "://" * 300_000, "://a:" * 200_000, "=" * 10**6]
)
def test_hostile_megabyte_costs_seconds_not_minutes(text: str) -> None:
    began = time.process_time()
    SecretMask(["a-known-secret"]).mask(text)
    assert time.process_time() - began < 5
