// A phone over standard input and output: reads the channel and the names (one line of JSON), registers with keys of
// its own (prints the request), reads the service's answer, and prints what it opened, beside its confirmation code.

import { randomBytes, sign } from "node:crypto";
import { createInterface } from "node:readline";
import { FlattenedSign, exportJWK, generateKeyPair } from "jose";
import * as mobileid from "./protocol.mjs";

const { b64u, unb64u, utf8 } = mobileid;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { suite, kid, publicKey, applicationId, operationId, nonce, path, pin, iat } = await read();
const possession = await generateKeyPair("ES256");
const { kty, crv, x, y } = await exportJWK(possession.publicKey);
const knowledge = await mobileid.knowledgeKey({
  pin, sd: randomBytes(32), applicationId, registrationOperationId: operationId, keyVersion: 1,
  salt: randomBytes(16), stretch: "argon2id-64m-3-1",
});
const knowledgePublic = mobileid.rawPublic(knowledge.privateKey);
const r = randomBytes(32);

const statement = utf8(JSON.stringify({
  typ: "registration", applicationId, operationId, nonce, possession: { kty, crv, x, y }, inherence: null,
  knowledge: b64u(mobileid.commitment(knowledgePublic, r)), iat,
}));
const header = (alg, factor) => ({ alg, typ: "mobileid-proof+jws", factor });
const first = await new FlattenedSign(statement)
  .setProtectedHeader(header("ES256", "possession")).sign(possession.privateKey);
const second = b64u(utf8(JSON.stringify(header("EdDSA", "knowledge"))));
const proof = {
  payload: first.payload,
  signatures: [
    { protected: first.protected, signature: first.signature },
    { protected: second, signature: b64u(sign(null, utf8(`${second}.${first.payload}`), knowledge.privateKey)) },
  ],
};

const mid = randomBytes(16);
const rk = randomBytes(32);
const body = {
  operationId, name: "Käthe's phone", platform: "javascript", osVersion: "", model: "", sdkVersion: "0", appVersion: "",
  knowledge: { publicKey: b64u(knowledgePublic), r: b64u(r) },
};
const plaintext = mobileid.pad(JSON.stringify({ mid: b64u(mid), iat, rk: b64u(rk), body, proof }));
const request = await mobileid.sealRequest({
  suite, publicKey: unb64u(publicKey), kid, applicationId, path, plaintext,
});
write(request);

const answer = await read();
const info = mobileid.requestInfo(suite, kid, applicationId, path);
const cipher = mobileid.answerCipher({ enc: unb64u(request.enc), n: unb64u(answer.n), rk, mid, info });
const opened = JSON.parse(mobileid.openAnswer(cipher, unb64u(answer.ct)));
write({ opened, confirmationCode: mobileid.confirmationCode(statement, opened.body.deviceId) });
