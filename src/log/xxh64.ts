/**
 * XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) as a WebAssembly module that is put together here, an instruction after
 * another. Packages that have it take each input by itself: for frames of some hundred bytes, copying, views and big integers cost several times what
 * the hash does. This one is given many frames at once and checks them where they lie.
 */

/** Inputs are put here, from its beginning on. */
const WINDOW_PAGES = 2
const PAGE = 64 * 1024
/** Bytes that can be looked at at once. */
export const WINDOW = WINDOW_PAGES * PAGE
/** A whole number of stripes. */
const STRIPE = 32

const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n

type Code = readonly number[]

/** LEB128. */
function signed(value: bigint): Code {
  const low = Number(value & 0x7fn)
  const rest = value >> 7n
  const done = (rest === 0n && low < 64) || (rest === -1n && low >= 64)
  return done ? [low] : [low | 0x80, ...signed(rest)]
}

function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

function section(id: number, items: readonly Code[]): Code {
  const body = list(items)
  return [id, ...unsigned(body.length), ...body]
}

const I32 = 0x7f
const I64 = 0x7e
const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const lane = (global: number): Code => [0x23, global]
const setLane = (global: number): Code => [0x24, global]
const int = (value: number): Code => [0x41, ...signed(BigInt(value))]
const long = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))]
const call = (index: number): Code => [0x10, index]
const branchIf = (level: number): Code => [0x0d, level]
const branch = (level: number): Code => [0x0c, level]
const load32 = (offset: number): Code => [0x28, 0, offset]
const load64 = (offset: number): Code => [0x29, 0, offset]
const LOAD_32_AS_64: Code = [0x35, 0, 0]
const LOAD_8_AS_64: Code = [0x31, 0, 0]
const EXTEND: Code = [0xad]
const INT_ADD: Code = [0x6a]
const INT_SUB: Code = [0x6b]
const INT_AND: Code = [0x71]
const INT_NE: Code = [0x47]
const INT_LT: Code = [0x49]
const INT_GT: Code = [0x4b]
const INT_GE: Code = [0x4f]
const NE: Code = [0x52]
const ADD: Code = [0x7c]
const SUB: Code = [0x7d]
const MUL: Code = [0x7e]
const XOR: Code = [0x85]
const SHIFT: Code = [0x88]
const ROTATE: Code = [0x89]
const BLOCK: Code = [0x02, 0x40]
const LOOP: Code = [0x03, 0x40]
const IF: Code = [0x04, 0x40]
const ELSE: Code = [0x05]
const END: Code = [0x0b]
const RETURN: Code = [0x0f]

function code(...parts: readonly Code[]): Code {
  return parts.flat()
}

/** `locals`: how many of 32 and of 64 bits, behind the parameters. */
function body(locals: readonly [ints: number, longs: number], ...parts: readonly Code[]): Code {
  const [ints, longs] = locals
  const bytes = [
    ...list([
      [...unsigned(ints), I32],
      [...unsigned(longs), I64],
    ]),
    ...parts.flat(),
    ...END,
  ]
  return [...unsigned(bytes.length), ...bytes]
}

/** On the stack: a lane and an input; then the lane after them. */
const ROUND = code(long(PRIME_2), MUL, ADD, long(31n), ROTATE, long(PRIME_1), MUL)

/** begin(seed): the four lanes. */
const BEGIN = body(
  [0, 0],
  code(get(0), long(PRIME_1 + PRIME_2), ADD, setLane(0)),
  code(get(0), long(PRIME_2), ADD, setLane(1)),
  code(get(0), setLane(2)),
  code(get(0), long(PRIME_1), SUB, setLane(3)),
)

/** stripes(at, end): takes in whole stripes. */
const [AT, FINISH] = [0, 1]
const LANES = [2, 3, 4, 5] as const
const STRIPES = body(
  [0, 4],
  ...LANES.map((local, index) => code(lane(index), set(local))),
  code(BLOCK, LOOP),
  code(get(AT), get(FINISH), INT_GE, branchIf(1)),
  ...LANES.map((local, index) => code(get(local), get(AT), load64(index * 8), ROUND, set(local))),
  code(get(AT), int(STRIPE), INT_ADD, set(AT), branch(0)),
  code(END, END),
  ...LANES.map((local, index) => code(get(local), setLane(index))),
)

/** finish(at, end, total, seed): what is left, and the hash of all `total` bytes. */
const [TOTAL, SEED, HASH] = [2, 3, 4]
const MERGED = LANES.map((_, index) =>
  code(get(HASH), long(0n), lane(index), ROUND, XOR, long(PRIME_1), MUL, long(PRIME_4), ADD, set(HASH)),
)
const END_OF = body(
  [0, 1],
  code(get(TOTAL), int(STRIPE), INT_LT, IF),
  code(get(SEED), long(PRIME_5), ADD, set(HASH)),
  ELSE,
  code(lane(0), long(1n), ROTATE, lane(1), long(7n), ROTATE, ADD),
  code(lane(2), long(12n), ROTATE, ADD, lane(3), long(18n), ROTATE, ADD, set(HASH)),
  ...MERGED,
  END,
  code(get(HASH), get(TOTAL), EXTEND, ADD, set(HASH)),
  code(BLOCK, LOOP, get(FINISH), get(AT), INT_SUB, int(8), INT_LT, branchIf(1)),
  code(get(HASH), long(0n), get(AT), load64(0), ROUND, XOR, long(27n), ROTATE),
  code(long(PRIME_1), MUL, long(PRIME_4), ADD, set(HASH)),
  code(get(AT), int(8), INT_ADD, set(AT), branch(0), END, END),
  code(get(FINISH), get(AT), INT_SUB, int(4), INT_GE, IF),
  code(get(HASH), get(AT), LOAD_32_AS_64, long(PRIME_1), MUL, XOR, long(23n), ROTATE),
  code(long(PRIME_2), MUL, long(PRIME_3), ADD, set(HASH)),
  code(get(AT), int(4), INT_ADD, set(AT), END),
  code(BLOCK, LOOP, get(AT), get(FINISH), INT_GE, branchIf(1)),
  code(get(HASH), get(AT), LOAD_8_AS_64, long(PRIME_5), MUL, XOR, long(11n), ROTATE, long(PRIME_1), MUL, set(HASH)),
  code(get(AT), int(1), INT_ADD, set(AT), branch(0), END, END),
  code(get(HASH), get(HASH), long(33n), SHIFT, XOR, long(PRIME_2), MUL, set(HASH)),
  code(get(HASH), get(HASH), long(29n), SHIFT, XOR, long(PRIME_3), MUL, set(HASH)),
  code(get(HASH), get(HASH), long(32n), SHIFT, XOR),
)

/** whole(at, length, seed): the hash of bytes that are all there. */
const LENGTH = 1
const WHOLE = body(
  [1, 0],
  code(get(AT), get(LENGTH), int(-STRIPE), INT_AND, INT_ADD, set(3)),
  code(get(2), call(0), get(AT), get(3), call(1)),
  code(get(3), get(AT), get(LENGTH), INT_ADD, get(LENGTH), get(2), call(2)),
)

/** What `frame` says. */
export const NO_HEADER = 0
/** The header is intact, and the payload goes on behind what is there. */
export const PART = 1
export const WRONG_PAYLOAD = 2
export const RIGHT = 3

/** frame(at, end, seed): conditions 1, 2 and 5 of `frame.ts`. */
const REST = 3
function frameBody({ magic, header, hashed, length, payloadHash }: FrameShape): Code {
  return body(
    [1, 0],
    code(get(FINISH), get(AT), INT_SUB, set(REST)),
    code(get(REST), int(header), INT_LT, IF, int(NO_HEADER), RETURN, END),
    code(get(AT), load32(0), int(magic), INT_NE, IF, int(NO_HEADER), RETURN, END),
    code(get(AT), int(hashed), get(2), call(3), get(AT), load64(hashed), NE, IF, int(NO_HEADER), RETURN, END),
    code(get(AT), load32(length), get(REST), int(header), INT_SUB, INT_GT, IF, int(PART), RETURN, END),
    code(get(AT), int(header), INT_ADD, get(AT), load32(length), long(0n), call(3)),
    code(get(AT), load64(payloadHash), NE, IF, int(WRONG_PAYLOAD), RETURN, END),
    int(RIGHT),
  )
}

/** Where a frame has what: offsets in its header. */
export interface FrameShape {
  readonly magic: number
  /** Bytes of the header. */
  readonly header: number
  /** That many of its first bytes are hashed, with the seed; the hash stands behind them. */
  readonly hashed: number
  readonly length: number
  readonly payloadHash: number
}

export interface Xxh64 {
  /** Inputs are put here. */
  readonly window: Uint8Array
  begin(seed: bigint): void
  /** From and to: offsets in the window, whole stripes of 32 bytes apart. */
  stripes(at: number, end: number): void
  /** The hash as a signed number. */
  finish(at: number, end: number, total: number, seed: bigint): bigint
  whole(at: number, length: number, seed: bigint): bigint
  frame(at: number, end: number, seed: bigint): number
}

function moduleFor(shape: FrameShape): Uint8Array<ArrayBuffer> {
  const signature = (parameters: Code, results: Code): Code => [
    0x60,
    ...unsigned(parameters.length),
    ...parameters,
    ...unsigned(results.length),
    ...results,
  ]
  const exported = (name: string, kind: number, index: number): Code => [
    name.length,
    ...new TextEncoder().encode(name),
    kind,
    index,
  ]
  const types = [
    signature([I64], []),
    signature([I32, I32], []),
    signature([I32, I32, I32, I64], [I64]),
    signature([I32, I32, I64], [I64]),
    signature([I32, I32, I64], [I32]),
  ]
  const names = ['begin', 'stripes', 'finish', 'whole', 'frame']
  const mutable = code([I64, 1], long(0n), END)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, [[0], [1], [2], [3], [4]]),
    ...section(5, [[1, WINDOW_PAGES, WINDOW_PAGES]]),
    ...section(6, [mutable, mutable, mutable, mutable]),
    ...section(7, [exported('memory', 2, 0), ...names.map((name, index) => exported(name, 0, index))]),
    ...section(10, [BEGIN, STRIPES, END_OF, WHOLE, frameBody(shape)]),
  ])
}

/** The part of it that is used here; the types that come with Node leave it out. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object
    readonly Instance: new (module: object) => { readonly exports: unknown }
  }
}

export function makeXxh64(shape: FrameShape): Xxh64 {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleFor(shape)))
  const { memory, ...functions } = exports as { memory: { buffer: ArrayBuffer } } & Omit<Xxh64, 'window'>
  return Object.freeze({ window: new Uint8Array(memory.buffer), ...functions })
}
