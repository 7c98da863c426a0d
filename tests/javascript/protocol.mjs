// The phone's half of docs/protocol.md, written from that text alone and with other libraries than the SDK's:
// HPKE by hpke-js, JOSE by jose, Argon2id by hash-wasm, the rest by Node. Numbers name the text's sections.

import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { argon2id } from "hash-wasm";
import { MlKem768 } from "mlkem";
import {
  createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, pbkdf2Sync, webcrypto,
} from "node:crypto";

globalThis.crypto ??= webcrypto; // Node 18 has it under this name only

// --- 1. Notation ---

export const utf8 = (text) => Buffer.from(text, "utf8");
export const b64u = (bytes) => Buffer.from(bytes).toString("base64url");

export function unb64u(text) {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) throw new Error("not canonical base64url");
  return bytes;
}

export const H = (bytes) => createHash("sha256").update(bytes).digest();
export const hmac = (key, bytes) => createHmac("sha256", key).update(bytes).digest();
const hkdfExtract = (salt, ikm) => hmac(salt, ikm);

/** RFC 5869, 2.3, up to one block: no key here is longer. */
function hkdfExpand(prk, info, length) {
  return hmac(prk, Buffer.concat([info, Buffer.of(1)])).subarray(0, length);
}

/** Strings stand for their UTF-8, numbers for their decimal digits. */
export function LP(...items) {
  return Buffer.concat(items.flatMap((item) => {
    const bytes = typeof item === "string" || typeof item === "number" ? utf8(String(item)) : Buffer.from(item);
    if (bytes.length > 65535) throw new Error("too long for LP");
    return [Buffer.of(bytes.length >> 8, bytes.length & 255), bytes];
  }));
}

// --- 2. Suites ---

const KEM = { 1: () => new DhkemX25519HkdfSha256(), 2: () => new XWing() };
export const ENC_BYTES = { 1: 32, 2: 1120 };

export function hpke(suite) {
  return new CipherSuite({ kem: KEM[suite](), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
}

/** From the raw private key: X25519's, or ML-KEM-768's seed ‖ X25519's. */
export async function channelPublicKey(suite, privateKey) {
  const x25519 = rawPublic(rawPrivate("6e", privateKey.subarray(-32)));
  if (suite === 1) return x25519;
  const [mlkem] = await new MlKem768().deriveKeyPair(privateKey.subarray(0, 64));
  return Buffer.concat([mlkem, x25519]);
}

/** RFC 8410: the ASN.1 around 32 private bytes; `kind` ends the OID: 6e X25519, 70 Ed25519. */
function rawPrivate(kind, bytes) {
  const der = Buffer.concat([Buffer.from(`302e020100300506032b65${kind}04220420`, "hex"), bytes]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

export const rawPublic = (privateKey) => unb64u(createPublicKey(privateKey).export({ format: "jwk" }).x);

/** What a client whose highest suite is `highest` uses of a verified document at `now`; null when it has expired. */
export function chooseKey(document, now, highest) {
  if (document.exp <= now) return null;
  const moment = Math.max(now, document.iat);
  const current = document.keys.filter(
    (key) => key.suite <= highest && key.suite >= document.minSuite && key.nbf <= moment && moment < key.exp,
  );
  current.sort((a, b) => b.suite - a.suite || b.nbf - a.nbf);
  return current[0] ?? null;
}

// --- 3. Envelope ---

export function requestInfo(suite, kid, applicationId, path) {
  return LP("mobileid/1 request", String(suite), kid, applicationId, "POST", path);
}

export function pad(text) {
  const bytes = utf8(text);
  return Buffer.concat([bytes, Buffer.alloc((256 - (bytes.length % 256)) % 256, " ")]);
}

export async function sealRequest({ suite, publicKey, kid, applicationId, path, plaintext }) {
  const cipher = hpke(suite);
  const recipientPublicKey = await cipher.kem.deserializePublicKey(publicKey);
  const info = requestInfo(suite, kid, applicationId, path);
  const { enc, ct } = await cipher.seal({ recipientPublicKey, info }, plaintext);
  return { v: 1, app: applicationId, kid, enc: b64u(enc), ct: b64u(ct) };
}

/** The service's part; `privateKey` as the library takes it: 32 bytes, for suite 2 X-Wing's seed. */
export async function openRequest({ suite, privateKey, request, path }) {
  if (request.v !== 1) throw new Error("another version");
  const cipher = hpke(suite);
  const recipientKey = await cipher.kem.deserializePrivateKey(privateKey);
  const info = requestInfo(suite, request.kid, request.app, path);
  return Buffer.from(await cipher.open({ recipientKey, enc: unb64u(request.enc), info }, unb64u(request.ct)));
}

/** Key, nonce and AAD of the answer to a request; `enc`, `n`, `rk`, `mid` as bytes. */
export function answerCipher({ enc, n, rk, mid, info }) {
  const prk = hkdfExtract(Buffer.concat([enc, n]), rk);
  return {
    key: hkdfExpand(prk, LP("mobileid/1 response key", info), 16),
    nonce: hkdfExpand(prk, LP("mobileid/1 response nonce", info), 12),
    aad: LP("mobileid/1 response", mid),
  };
}

export function sealAnswer({ key, nonce, aad }, plaintext) {
  const cipher = createCipheriv("aes-128-gcm", key, nonce).setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export function openAnswer({ key, nonce, aad }, ct) {
  const cipher = createDecipheriv("aes-128-gcm", key, nonce, { authTagLength: 16 }).setAAD(aad);
  cipher.setAuthTag(ct.subarray(-16));
  return Buffer.concat([cipher.update(ct.subarray(0, -16)), cipher.final()]);
}

// --- 4. PIN to knowledge key ---

const STRETCH = {
  "argon2id-64m-3-1": async (password, salt) => Buffer.from(await argon2id({
    password, salt, memorySize: 64 * 1024, iterations: 3, parallelism: 1, hashLength: 32, outputType: "binary",
  })),
  "pbkdf2-sha256-600000": async (password, salt) => pbkdf2Sync(password, salt, 600_000, 32, "sha256"),
};

export async function knowledgeKey({ pin, sd, applicationId, registrationOperationId, keyVersion, salt, stretch }) {
  const stretched = await STRETCH[stretch](utf8(pin.normalize("NFC")), salt);
  const u = hmac(sd, LP("mobileid/1 pin", applicationId, registrationOperationId, keyVersion, salt, stretched));
  const seed = hkdfExpand(u, utf8("mobileid/1 knowledge key"), 32);
  return { stretched, u, seed, privateKey: rawPrivate("70", seed) };
}

export const commitment = (publicKey, r) => H(LP("mobileid/1 knowledge commitment", publicKey, r));

// --- 6. Messages ---

export function normaliseActivationCode(typed) {
  const folded = { O: "0", I: "1", L: "1", "-": "", " ": "" };
  const code = typed.toUpperCase().replace(/[OIL \-]/g, (c) => folded[c]);
  if (!/^[0-9A-HJKMNP-TV-Z]{12}$/.test(code)) throw new Error("not an activation code");
  return code;
}

export function confirmationCode(statement, deviceId) {
  const number = H(LP("mobileid/1 confirmation", statement, deviceId)).readBigUInt64BE();
  return String(number % 1_000_000n).padStart(6, "0");
}

export const contentHash = (title, mimeType, data) => H(LP("mobileid/1 content", title, mimeType, H(data)));

export const qrMac = (secret, claim, t) => hmac(secret, LP("mobileid/1 qr", claim, t)).subarray(0, 16);

/** The text of a payment whose creditor has an IBAN and whose currency has minor units. */
export function renderPayment({ amount, currency, creditorName, creditorAccount, reference }) {
  const { maximumFractionDigits } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  const [whole, minor = ""] = amount.split(".");
  const iban = creditorAccount.replaceAll(" ", "").toUpperCase();
  const lines = [
    `Amount: ${whole}.${minor.padEnd(maximumFractionDigits, "0")} ${currency}`,
    `To: ${creditorName}`,
    `Account: ${iban.match(/.{1,4}/g).join(" ")}`,
    ...(reference ? [`Reference: ${reference}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
