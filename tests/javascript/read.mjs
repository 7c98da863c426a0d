// Reads docs/protocol-vectors.json: `npm ci && npm test`. Every value in it is made again or opened here.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  calculateJwkThumbprint, compactVerify, createLocalJWKSet, flattenedVerify, importJWK, jwtVerify,
} from "jose";
import * as mobileid from "./protocol.mjs";

const { LP, H, b64u, unb64u, utf8 } = mobileid;
const vectors = JSON.parse(readFileSync(new URL("../../docs/protocol-vectors.json", import.meta.url), "utf8"));
const FACTOR_ALG = { possession: "ES256", inherence: "ES256", knowledge: "EdDSA" };

test("the file has what is read here, and nothing that is not", () => {
  const read = [
    "comment", "notation", "knowledge", "envelopes", "contentHash", "possession", "proofs", "confirmationCode",
    "finishedAgain", "inherence", "keyDocument", "consent", "qr",
  ];
  assert.deepEqual(Object.keys(vectors).sort(), read.sort());
});

test("notation", () => {
  const { lp, b64u: encoded, activationCode } = vectors.notation;
  for (const { items, hex } of lp) assert.equal(LP(...items).toString("hex"), hex);
  for (const { hex, text } of encoded) {
    assert.equal(b64u(Buffer.from(hex, "hex")), text);
    assert.equal(unb64u(text).toString("hex"), hex);
  }
  assert.equal(mobileid.normaliseActivationCode(activationCode.typed), activationCode.normal);
});

for (const vector of vectors.knowledge) {
  test(`a PIN gives its knowledge key: ${vector.pin} by ${vector.stretch}, version ${vector.keyVersion}`, async () => {
    assert.equal(utf8(vector.pin.normalize("NFC")).toString("hex"), vector.nfc);
    const made = await mobileid.knowledgeKey({ ...vector, sd: unb64u(vector.sd), salt: unb64u(vector.salt) });
    const publicKey = mobileid.rawPublic(made.privateKey);
    for (const step of ["stretched", "u", "seed"]) assert.equal(b64u(made[step]), vector[step], step);
    assert.equal(b64u(publicKey), vector.publicKey);
    assert.equal(b64u(mobileid.commitment(publicKey, unb64u(vector.r))), vector.commitment);
  });
}

for (const vector of vectors.envelopes) {
  const { suite, path, request, answer } = vector;
  const privateKey = unb64u(suite === 1 ? vector.privateKey : vector.seed);

  test(`suite ${suite}: the raw keys are what the text says`, async () => {
    if (suite === 2) {
      const expanded = createHash("shake256", { outputLength: 96 }).update(privateKey).digest();
      assert.equal(b64u(expanded), vector.privateKey);
    }
    assert.equal(b64u(await mobileid.channelPublicKey(suite, unb64u(vector.privateKey))), vector.publicKey);
  });

  test(`suite ${suite}: the request opens, and no longer when anything is another`, async () => {
    assert.equal(b64u(mobileid.requestInfo(suite, request.kid, request.app, path)), vector.info);
    const opened = await mobileid.openRequest({ suite, privateKey, request, path });
    assert.equal(b64u(opened), vector.plaintext);
    assert.equal(H(opened).toString("hex"), vector.plaintextDigest);
    assert.equal(opened.length % 256, 0);
    assert.equal(unb64u(request.enc).length, mobileid.ENC_BYTES[suite]);
    const inner = JSON.parse(opened);
    assert.deepEqual(Object.keys(inner), ["mid", "iat", "rk", "body", "proof"]);
    assert.deepEqual(inner.proof, vectors.proofs[1].proof);
    const ct = unb64u(request.ct);
    ct[0] ^= 1;
    for (const other of [{ v: 2 }, { kid: "key-9" }, { app: vectors.confirmationCode.deviceId }, { ct: b64u(ct) }]) {
      const altered = { ...request, ...other };
      await assert.rejects(mobileid.openRequest({ suite, privateKey, request: altered, path }));
    }
    await assert.rejects(mobileid.openRequest({ suite, privateKey, request, path: `${path}/` }));
  });

  test(`suite ${suite}: the answer opens, and is sealed to the same bytes`, () => {
    assert.equal(answer.v, 1);
    const inner = JSON.parse(unb64u(vector.plaintext));
    const [rk, mid, enc, n] = [inner.rk, inner.mid, request.enc, answer.n].map(unb64u);
    assert.deepEqual([rk.length, mid.length, n.length], [32, 16, 16]);
    const cipher = mobileid.answerCipher({ enc, n, rk, mid, info: unb64u(vector.info) });
    assert.equal(b64u(cipher.key), vector.answerKey);
    assert.equal(b64u(cipher.nonce), vector.answerNonce);
    assert.equal(b64u(cipher.aad), vector.answerAad);
    const opened = mobileid.openAnswer(cipher, unb64u(answer.ct));
    assert.equal(b64u(opened), vector.answerPlaintext);
    assert.equal(b64u(mobileid.sealAnswer(cipher, mobileid.pad(opened.toString().trimEnd()))), answer.ct);
  });

  test(`suite ${suite}: what is sealed here opens again`, async () => {
    const plaintext = unb64u(vector.plaintext);
    const fields = { suite, kid: request.kid, applicationId: request.app, path, plaintext };
    const sealed = await mobileid.sealRequest({ ...fields, publicKey: unb64u(vector.publicKey) });
    assert.notEqual(sealed.ct, request.ct);
    assert.deepEqual(await mobileid.openRequest({ suite, privateKey, request: sealed, path }), plaintext);
  });
}

const possession = () => importJWK(vectors.possession.jwk, "ES256");
const knowledge = () => importJWK({ kty: "OKP", crv: "Ed25519", x: vectors.knowledge[0].publicKey }, "EdDSA");

test("the possession key has its thumbprint", async () => {
  const { jwk, thumbprint, d } = vectors.possession;
  assert.equal(await calculateJwkThumbprint(jwk), thumbprint);
  await importJWK({ ...jwk, d }, "ES256");
});

for (const { statement, proof, possessionCompact } of vectors.proofs) {
  const { typ } = JSON.parse(statement);

  test(`the proof of the ${typ} verifies factor by factor, and as a compact JWS`, async () => {
    assert.deepEqual(Object.keys(proof), ["payload", "signatures"]);
    assert.equal(unb64u(proof.payload).toString(), statement);
    const keys = { possession: await possession(), knowledge: await knowledge() };
    const factors = [];
    for (const { protected: header, signature } of proof.signatures) {
      const { alg, typ: kind, factor, ...rest } = JSON.parse(unb64u(header));
      assert.deepEqual([alg, kind, rest], [FACTOR_ALG[factor], "mobileid-proof+jws", {}]);
      const jws = { payload: proof.payload, protected: header, signature };
      await flattenedVerify(jws, keys[factor], { algorithms: [alg] });
      const wrong = factor === "possession" ? "knowledge" : "possession";
      await assert.rejects(flattenedVerify(jws, keys[wrong]));
      factors.push(factor);
    }
    assert.deepEqual(factors, ["possession", "knowledge"]);
    const [first] = proof.signatures;
    assert.equal(possessionCompact, [first.protected, proof.payload, first.signature].join("."));
    const { payload } = await compactVerify(possessionCompact, keys.possession);
    assert.equal(Buffer.from(payload).toString(), statement);
  });
}

test("the registration names the keys that sign it, the knowledge key by its commitment alone", () => {
  const statement = JSON.parse(vectors.proofs[0].statement);
  assert.deepEqual(statement.possession, vectors.possession.jwk);
  assert.equal(statement.knowledge, vectors.knowledge[0].commitment);
  assert.ok(!JSON.stringify(vectors.proofs[0]).includes(vectors.knowledge[0].publicKey));
});

test("a payment is rendered, contents are hashed, and the approval names the hash", () => {
  for (const { title, mimeType, data, transaction, hash } of vectors.contentHash) {
    if (transaction) assert.equal(mobileid.renderPayment(transaction), data);
    assert.equal(b64u(mobileid.contentHash(title, mimeType, utf8(data))), hash);
  }
  assert.equal(JSON.parse(vectors.proofs[1].statement).contentHash, vectors.contentHash[0].hash);
});

test("the inherence key is named by its thumbprint", async () => {
  const { jwk, inherenceThumbprint } = vectors.inherence;
  assert.equal(await calculateJwkThumbprint(jwk), inherenceThumbprint);
});

test("a registration finished again is answered with the code of the statement that came first", () => {
  const { statements, answer, codeOfTheSecond } = vectors.finishedAgain;
  const codes = statements.map((statement) => mobileid.confirmationCode(utf8(statement), answer.deviceId));
  assert.deepEqual(codes, [answer.confirmationCode, codeOfTheSecond]);
  const [first, second] = statements.map((statement) => JSON.parse(statement));
  assert.deepEqual([first.nonce, first.possession], [second.nonce, second.possession]);
  assert.ok(first.iat < second.iat);
});

test("the confirmation code", () => {
  const { statement, deviceId, code } = vectors.confirmationCode;
  assert.equal(mobileid.confirmationCode(utf8(statement), deviceId), code);
});

test("the QR frame", () => {
  const { secret, claim, t, m, uri } = vectors.qr;
  assert.equal(b64u(mobileid.qrMac(unb64u(secret), claim, t)), m);
  assert.equal(new URL(uri).hash, `#operation?claim=${claim}&t=${t}&m=${m}`);
});

test("the key document verifies under its anchor alone, and names the key to take", async () => {
  const { trustAnchor, applicationId, jwt, chosen } = vectors.keyDocument;
  const options = { algorithms: ["ES256"], typ: "mobileid-keys+jwt", audience: applicationId };
  const read = (anchor, now, more) => jwtVerify(jwt, anchor, { ...options, ...more, currentDate: new Date(now * 1000) });
  const anchor = await importJWK(trustAnchor, "ES256");
  const { payload } = await read(anchor, chosen[0].now);
  assert.ok(payload.exp - payload.iat <= 86_400);
  for (const { now, highestSuite, kid } of chosen) {
    assert.equal(mobileid.chooseKey(payload, now, highestSuite)?.kid ?? null, kid);
  }
  for (const { suite, pub } of payload.keys) {
    assert.equal(pub, vectors.envelopes.find((envelope) => envelope.suite === suite).publicKey);
  }
  await assert.rejects(read(anchor, payload.exp), { code: "ERR_JWT_EXPIRED" });
  await assert.rejects(read(anchor, chosen[0].now, { audience: vectors.consent.audience }));
  const next = await importJWK(payload.nextTrustAnchor, "ES256");
  await assert.rejects(read(next, chosen[0].now), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});

test("a consent leads from the service's signature to the phone's, its statement and the content", async () => {
  const { jwks, issuer, audience, deviceJwk, content, jwt } = vectors.consent;
  const options = { algorithms: ["ES256"], typ: "mobileid-consent+jwt", issuer, audience };
  const { payload: claims } = await jwtVerify(jwt, createLocalJWKSet(jwks), options);
  assert.deepEqual(claims.amr, ["hwk", "pin"]);

  assert.equal(claims.device.jkt, await calculateJwkThumbprint(deviceJwk));
  const { payload, protectedHeader } = await compactVerify(claims.proof, await importJWK(deviceJwk, "ES256"));
  assert.deepEqual([protectedHeader.typ, protectedHeader.factor], ["mobileid-proof+jws", "possession"]);

  const statement = JSON.parse(Buffer.from(payload));
  assert.deepEqual([statement.typ, statement.decision], ["signature", "approve"]);
  assert.deepEqual([statement.operationId, statement.deviceId], [claims.txn, claims.device.id]);

  const data = utf8(content.data);
  assert.equal(b64u(mobileid.contentHash(content.title, content.mimeType, data)), statement.contentHash);
  assert.deepEqual(claims.content, {
    title: content.title, mimeType: content.mimeType, sha256: b64u(H(data)), data: b64u(data),
  });
});
