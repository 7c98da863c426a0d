"""Who has a line of a person's history can have it proved, and check the proof with libraries that are not ours."""

import json

import pymerkle
import pytest
from jwcrypto import jwk, jws

from reuseid.actors import SYSTEM, Actor
from reuseid.api.examples import PROOF
from reuseid.models import TrailEntry, TrailKey
from reuseid.services.audit import proofs, seals, trail
from reuseid.services.people import notes, users
from tests import factories
from tests.conftest import unguarded
from tests.reuseid.services.audit.test_trail import sealed_as_version
from tests.staff_factories import make_colleague

pytestmark = pytest.mark.django_db
KEYS = "/.well-known/trail-keys.json"


def events(user):
    return f"/reuseid/core/users/{user.pk}/events"


def prove(api, user, event):
    return api.get(f"{events(user)}/{event['id']}/proof")


def check(proof, keys):
    """What a stranger does who has the proof and our keys: gives what was sealed of the line, and the seal.

    pymerkle for the tree (its places count from 1, and it wants to be told the shape of a tree of this size), jwcrypto
    for the signature.
    """
    token = jws.JWS()
    token.deserialize(proof["seal"])
    (key,) = [key for key in keys["keys"] if key["kid"] == token.jose_header["kid"]]
    token.verify(jwk.JWK(**key))
    seal = json.loads(token.payload)
    place, size = proof["leafIndex"] + 1, seal["treeSize"]
    shape = pymerkle.InmemoryTree.init_from_entries([b"any"] * size).prove_inclusion(place)
    leaf = shape.hasher.hash_buff(proof["entry"].encode("ascii"))
    path = [leaf, *(bytes.fromhex(digest) for digest in proof["auditPath"])]
    found = pymerkle.InclusionProof("sha256", True, size, place, shape.rule, path)
    pymerkle.verify_inclusion(leaf, bytes.fromhex(seal["rootHash"]), found, index=place, size=size, algorithm="sha256")
    return json.loads(proof["entry"])["line"], seal


@pytest.fixture
def staff(account):
    return make_colleague("sofia", "Support", account)


@pytest.fixture
def told(api, user, staff):
    """What the history shows of a person whom a colleague locked, with a note; nothing is sealed yet."""
    users.lock(user, actor=Actor.staff(staff), reason="OTHER", note="She said: call my brother.")
    trail.record(user, "user.changed", actor=SYSTEM, changes={"changed": ["segment"], "asked_by": str(staff.pk)})
    return api.get(events(user)).json()["results"]


def test_each_line_is_proved_to_a_stranger(api, client, user, told):
    made = seals.seal()
    keys = client.get(KEYS).json()
    for event in told:
        answer = prove(api, user, event)
        assert answer.status_code == 200
        line, seal = check(answer.json(), keys)
        assert line == event
        assert (seal["number"], seal["rootHash"], seal["treeSize"]) == (made.number, made.root, made.count)
        assert int(seal["firstId"]) <= int(event["id"]) <= int(seal["lastId"])
        assert seal["at"] >= event["time"][:-1]


def test_the_documents_example_holds():
    key = {"kty": "OKP", "crv": "Ed25519", "x": "asryM24RdYIKemiHPekWu_v7aATznCmFYaaPThGmEqY"}
    key["kid"] = "5a1d2c8f-9a3e-4d7b-8c6f-0a1b2c3d4e5f"
    line, seal = check(PROOF, {"keys": [key]})
    assert (line["action"], seal["number"]) == ("user.locked", 981)


@pytest.mark.parametrize("member", ["entry", "leafIndex", "auditPath", "seal"])
def test_a_proof_in_which_something_was_changed_proves_nothing(api, client, user, told, member):
    seals.seal()
    keys = client.get(KEYS).json()
    proof = prove(api, user, told[0]).json()
    check(proof, keys)
    proof[member] = {
        "entry": proof["entry"].replace("user.changed", "user.changes"),
        "leafIndex": proof["leafIndex"] - 1,
        "auditPath": [proof["auditPath"][0][::-1], *proof["auditPath"][1:]],
        "seal": proof["seal"][:-8] + "AAAAAAAA",
    }[member]
    with pytest.raises((pymerkle.InvalidProof, jws.InvalidJWSSignature)):
        check(proof, keys)


def test_a_line_that_was_changed_since_is_not_proved(api, client, user, told):
    seals.seal()
    with unguarded():
        TrailEntry.objects.filter(pk=told[0]["id"]).update(reason="DECEASED")
    with pytest.raises(pymerkle.InvalidProof):
        check(prove(api, user, told[0]).json(), client.get(KEYS).json())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 100])
def test_paths_are_those_of_the_rfc_for_every_place(size):
    entries = [number.to_bytes(2, "big") for number in range(size)]
    theirs = pymerkle.InmemoryTree.init_from_entries(entries)
    leaves = [theirs.hash_buff(entry) for entry in entries]
    assert seals.root(leaves) == theirs.get_root()
    for index in range(size):
        assert proofs.audit_path(index, leaves) == theirs.prove_inclusion(index + 1).path[1:]


def test_a_proof_tells_no_more_than_the_history_does(api, user, told, staff):
    notes.add(user, text="a secret of colleagues", actor=Actor.staff(staff))
    seals.seal()
    for event in told:
        shown = prove(api, user, event).content.decode()
        for hidden in ("sofia", "call my brother", "asked_by", "a secret", str(user.account_id)):
            assert hidden not in shown
        assert json.loads(json.loads(shown)["entry"]).keys() == {"line", "digest"}


def test_hidden_values_cannot_be_guessed_by_the_digests(api, user, told):
    """Two seals of one line have nothing in common: neither digest nor leaf can be computed by who knows the line."""
    first = seals.seal()
    before = prove(api, user, told[0]).json()
    with unguarded():
        first.delete()
    again = seals.seal()
    after = prove(api, user, told[0]).json()
    assert json.loads(before["entry"])["line"] == json.loads(after["entry"])["line"]
    assert json.loads(before["entry"])["digest"] != json.loads(after["entry"])["digest"]
    assert not set(seals.unpack(first)[1].values()) & set(seals.unpack(again)[1].values())
    assert not set(before["auditPath"]) & set(after["auditPath"])


def test_lines_that_the_history_does_not_show_have_no_proof(api, api_client, api_for, other_api, user, staff, told):
    other = factories.make_user(user.account, external_ref="customer-2")
    hidden = trail.record(user, "attribute.revealed", actor=Actor.staff(staff))
    about_staff = trail.record(staff, "staff.changed", actor=SYSTEM, user_id=user.pk)
    seals.seal()
    for line in (hidden, about_staff):
        assert api.get(f"{events(user)}/{line.pk}/proof").status_code == 404
    assert prove(api, other, told[0]).status_code == 404
    assert prove(other_api, user, told[0]).status_code == 404
    assert prove(api_for(api_client, ["devices:read"]), user, told[0]).status_code == 403
    for number in ("0", "9" * 19, "9" * 40):
        assert api.get(f"{events(user)}/{number}/proof").status_code == 404
    assert api.get(f"{events(user)}/{told[0]['id']}/proof?limit=1").status_code == 400


def test_a_line_that_is_not_sealed_yet_is_to_be_asked_for_again(api, user, told):
    answer = prove(api, user, told[0])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed")
    seals.seal()
    assert prove(api, user, told[0]).status_code == 200


def test_what_was_sealed_before_there_were_proofs_has_none(api, user, told):
    sealed_as_version(2, seals.seal())
    answer = prove(api, user, told[0])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_provable")


def test_a_line_that_came_late_is_proved_by_the_seal_that_has_it(api, client, user, told):
    late = TrailEntry.objects.get(pk=told[1]["id"])
    with unguarded():
        TrailEntry.objects.filter(pk=late.pk).delete()
        seals.seal()
        late.save(force_insert=True)
    number = seals.seal().number
    line, seal = check(prove(api, user, told[1]).json(), client.get(KEYS).json())
    assert (line, seal["number"]) == (told[1], number)


def test_the_keys_are_public_and_only_ours(client, told):
    seals.seal()
    answer = client.get(KEYS)
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert answer["Content-Type"] == "application/jwk-set+json"
    TrailKey.objects.create(private_key=b"\x01\x03dev" + bytes(60), public_key="ab" * 32)
    assert client.get(KEYS).json() == {"keys": [key]}
    assert client.post(KEYS).status_code == 405
