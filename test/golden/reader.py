#!/usr/bin/env python3
"""Reads a .journal of format version 1 to 5, written from journal-format.md alone: Python 3 and its standard library, no more.

    reader.py JOURNAL                     transactions, one a line, and how the log ends
    reader.py JOURNAL --json [--at N]...  everything, as one JSON object; `trees` holds the tree at each N (default: the last)
    reader.py JOURNAL --at N --to DIR     rebuild the workspace as it was after transaction N into DIR, which must not exist

Exit codes: 0 every check holds (a torn end is no fault) · 1 something is wrong, see `problems` · 2 wrong usage · 4 corrupt log.
"""
import argparse
import hashlib
import json
import os
import re
import struct
import sys
import zlib

# --- XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) ---

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def rotate(x, r):
    return ((x << r) | (x >> (64 - r))) & MASK


def round_(acc, lane):
    acc = (acc + lane * P2) & MASK
    return (((acc << 31) | (acc >> 33)) & MASK) * P1 & MASK


def xxh64(seed, data):
    size = len(data)
    at = size - size % 32
    if size >= 32:
        a, b, c, d = (seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK
        for w, x, y, z in struct.iter_unpack("<4Q", data[:at]):
            a, b, c, d = round_(a, w), round_(b, x), round_(c, y), round_(d, z)
        h = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) & MASK
        for acc in (a, b, c, d):
            h = ((h ^ round_(0, acc)) * P1 + P4) & MASK
    else:
        h = (seed + P5) & MASK
    h = (h + size) & MASK
    while at + 8 <= size:
        h = (rotate(h ^ round_(0, int.from_bytes(data[at:at + 8], "little")), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        h = (rotate(h ^ (int.from_bytes(data[at:at + 4], "little") * P1 & MASK), 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ (byte * P5 & MASK), 11) * P1 & MASK
    h = (h ^ (h >> 33)) * P2 & MASK
    h = (h ^ (h >> 29)) * P3 & MASK
    return h ^ (h >> 32)


# --- MessagePack, standard types ---

FIXED = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}


def unpack(data):
    value, at = unpack_at(data, 0)
    if at != len(data):
        raise ValueError("bytes after the MessagePack value")
    return value


def unpack_at(data, at):
    def take(n):
        nonlocal at
        if at + n > len(data):
            raise ValueError("MessagePack value ends early")
        at += n
        return data[at - n:at]

    def size_of(width):
        return int.from_bytes(take(width), "big")

    def array(n):
        nonlocal at
        out = []
        for _ in range(n):
            item, at = unpack_at(data, at)
            out.append(item)
        return out

    def mapping(n):
        flat = array(2 * n)
        return dict(zip(flat[::2], flat[1::2]))

    tag = take(1)[0]
    if tag < 0x80:
        value = tag
    elif tag < 0x90:
        value = mapping(tag & 15)
    elif tag < 0xA0:
        value = array(tag & 15)
    elif tag < 0xC0:
        value = take(tag & 31).decode("utf-8")
    elif tag >= 0xE0:
        value = tag - 256
    elif tag in (0xC0, 0xC2, 0xC3):
        value = {0xC0: None, 0xC2: False, 0xC3: True}[tag]
    elif tag in (0xC4, 0xC5, 0xC6):
        value = bytes(take(size_of(1 << (tag - 0xC4))))
    elif tag in FIXED:
        value = struct.unpack(FIXED[tag], take(struct.calcsize(FIXED[tag])))[0]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
    elif tag in (0xD9, 0xDA, 0xDB):
        value = take(size_of(1 << (tag - 0xD9))).decode("utf-8")
    elif tag in (0xDC, 0xDD):
        value = array(size_of(2 << (tag - 0xDC)))
    elif tag in (0xDE, 0xDF):
        value = mapping(size_of(2 << (tag - 0xDE)))
    else:
        raise ValueError(f"MessagePack type {tag:#x} is not among those allowed")
    return value, at


# --- Frames ---

HEADER = struct.Struct("<4sIIIQIIIIQQ")  # kind and the reserved bytes behind it as one integer: a reserved byte but 0 is no kind
MAGIC, KINDS, LIMIT = b"WJF1", {1: "segment", 2: "term", 3: "content", 4: "commit", 5: "checkpoint", 6: "gap", 7: "horizon", 8: "states",
                       9: "heads"}, (64 << 20) - 128


class Frame:
    """An intact frame: conditions 1 to 5 hold."""

    def __init__(self, fields, payload, offset):
        (_, kind, length, self.term, self.sequence, _, self.segment, low, high, _, _) = fields
        self.kind, self.payload, self.durable = KINDS[kind], payload, (high, low)
        self.position, self.next = (self.segment, offset), offset + HEADER.size + length + -length % 8


def intact(data, segment, offset, seed):
    """The frame at that position if it is intact, else None."""
    if offset + HEADER.size > len(data) or data[offset:offset + 4] != MAGIC:
        return None
    header = data[offset:offset + HEADER.size]
    fields = HEADER.unpack(header)
    if xxh64(seed, header[:48]) != fields[10] or (fields[6], fields[5]) != (segment, offset):
        return None
    if fields[1] not in KINDS or fields[2] > LIMIT:
        return None
    payload = data[offset + HEADER.size:offset + HEADER.size + fields[2]]
    if len(payload) != fields[2] or xxh64(0, payload) != fields[9]:
        return None
    return Frame(fields, payload, offset)


def follows(frame, before):
    """Conditions 6 and 7."""
    due = before.sequence + 1 if before else 1
    numbered = frame.sequence >= due if frame.kind == "gap" and before else frame.sequence == due
    return numbered and (before is None or frame.term >= before.term)


class Before:
    """What conditions 6 and 7 ask of the frame before."""

    def __init__(self, sequence, term):
        self.sequence, self.term = sequence, term


class Log:
    """All valid frames of a journal, and its end: clean, torn or corrupt, at a position."""

    def __init__(self, folder, seed):
        self.seed, self.frames, self.end, self.position, self.why = seed, [], "clean", (1, 0), ""
        names = os.listdir(folder) if os.path.isdir(folder) else []
        self.base = max((int(n[:12]) for n in names if re.fullmatch(r"\d{12}\.base", n)), default=0)
        self.base_frames = list(self.read_base(os.path.join(folder, f"{self.base:012}.base"))) if self.base else []
        self.paths = {int(n[:12]): os.path.join(folder, n) for n in names if re.fullmatch(r"\d{12}\.wal", n)}
        # What a drop that was not finished has left is no part of the log.
        self.paths = {n: p for n, p in self.paths.items() if n > self.base}
        self.sizes = {n: os.path.getsize(p) for n, p in sorted(self.paths.items())}
        self.read()

    def read_base(self, path):
        with open(path, "rb") as file:
            data = file.read()
        offset = 0
        while offset < len(data):
            frame = intact(data, self.base, offset, self.seed)
            if not frame:
                raise SystemExit(f"reader.py: the base {path} is damaged at offset {offset}")
            yield frame
            offset = frame.next

    def load(self, segment):
        if segment not in self.paths:
            return b""
        with open(self.paths[segment], "rb") as file:
            return file.read()

    def valid(self, segment, offset, data, before):
        frame = intact(data, segment, offset, self.seed)
        return frame if frame and follows(frame, before) else None

    def read(self):
        segment, offset, before = self.base + 1, 0, None
        self.position, data = (segment, 0), self.load(segment)
        if self.base and segment not in self.paths:
            self.end, self.why = "corrupt", "the first segment behind the base was there before the base was"
            return
        if self.base:
            # The frame before the first is the last one that was dropped.
            before = intact(data, segment, 0, self.seed)
            before = before and Before(unpack(self.base_frames[0].payload)["sequence"], before.term)
        while True:
            if frame := self.valid(segment, offset, data, before):
                self.frames.append(frame)
                before, offset = frame, frame.next
                continue
            zeros = not data[offset:].strip(b"\0")
            if zeros and segment + 1 in self.paths:
                following = self.load(segment + 1)
                frame = self.valid(segment + 1, 0, following, before)
                if frame and frame.kind == "segment":
                    segment, offset, data = segment + 1, 0, following
                    continue
            self.position = (segment, offset)
            if zeros and segment >= max(self.paths, default=0):
                return
            later = self.acknowledged_after(segment, offset)
            self.end = "corrupt" if later else "torn"
            self.why = f"the frame at {later} says that these bytes were durable" if later else "no later frame counts on it"
            return

    def acknowledged_after(self, segment, offset):
        """Position of the first intact frame behind (segment, offset) that knows it as durable, else None."""
        for number in sorted(n for n in self.paths if n >= segment):
            data, at = self.load(number), (offset + 8 if number == segment else 0)
            while (at := data.find(MAGIC, at)) >= 0:
                frame = intact(data, number, at, self.seed) if at % 8 == 0 else None
                if frame and frame.durable > (segment, offset):
                    return frame.position
                at += 1
        return None


# --- The journal ---


def state_json(state):
    if state is None:
        return None
    if state[0] == 1:
        out = {"type": "file", "hash": state[1].hex(), "size": state[2], "mode": state[3]}
        return out if len(state) == 4 else {**out, "uid": state[4], "gid": state[5]}
    if state[0] == 2:
        out = {"type": "folder", "mode": state[1]}
        return out if len(state) == 2 else {**out, "uid": state[2], "gid": state[3]}
    if state[0] == 3:
        return {"type": "symlink", "target": state[1]}
    raise ValueError(f"unknown state {state[0]!r}")


def jsonable(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    return [jsonable(v) for v in value] if isinstance(value, list) else value


def number(data, at):
    """An unsigned LEB128 number of at most 8 bytes, and where it ends."""
    value = 0
    for n in range(8):
        value |= (data[at + n] & 0x7F) << (7 * n)
        if data[at + n] < 0x80:
            return value, at + n + 1
    raise ValueError("a number is too long")


STATES = ("before", "after", "replaced")
WORDS = {"edit": "edits", "patch": "patch", "revise": "change"}


class Journal:
    def __init__(self, folder):
        self.folder, self.problems, self.transactions, self.chain = folder, [], [], b""
        self.contents, self.purged, self.named, self.terms, self.checkpoints, self.counts = {}, set(), {}, [], [], {}
        with open(os.path.join(folder, "FORMAT"), encoding="utf-8") as file:
            self.format = json.load(file)
        if self.format.get("format") != "write-journal" or self.format["version"] > 5:
            raise SystemExit(f"reader.py: not a journal of version 1 to 5: {self.format}")
        self.id = bytes.fromhex(self.format["journal"])
        self.horizon = None
        self.seq, self.chain, self.body, self.lost, self.term_known, self.gaps = 0, self.chain_at(0), None, set(), True, []
        self.records, self.encodings = {}, {}
        self.log = Log(os.path.join(folder, "log"), int.from_bytes(self.id[:8], "little"))
        self.states, self.named_horizon = {}, None
        if self.log.base:
            self.on_base(self.log.base_frames)
        hint = self.hint()
        if hint and hint[0] <= self.log.base:
            hint = None
        if hint and hint >= self.log.position and self.log.end != "corrupt":
            self.log.end, self.log.why = "corrupt", f"CHECKPOINT says that there was a frame at {hint}"
        for frame in self.log.frames:
            first = frame.position[1] == 0
            self.check((frame.kind == "segment") == first, f"{frame.kind} frame at {frame.position}: not in its place")
            self.counts[frame.kind] = self.counts.get(frame.kind, 0) + 1
            getattr(self, "on_" + frame.kind)(frame, unpack(frame.payload))
        if self.named_horizon and self.named_horizon[1] != (self.horizon and self.horizon["digest"]):
            unnamed = self.horizon and self.named_horizon[0] <= self.horizon["at"]
            unnamed = unnamed or not self.horizon and any(1 in gap["lost"] for gap in self.gaps)
            self.check(unnamed, f"transaction {self.named_horizon[0]} names another horizon")
        self.find_contents()

    def on_base(self, frames):
        first = unpack(frames[0].payload)
        kinds = [frame.kind for frame in frames]
        self.check(kinds[0] == "horizon" and set(kinds[1:]) <= {"states", "heads"}, f"base: has frames {kinds}")
        self.check([f.sequence for f in frames] == list(range(1, len(frames) + 1)), "base: frames are missing")
        self.check((first["journal"], first["segment"]) == (self.id, self.log.base), "base: of another log")
        rest = hashlib.sha256(b"".join(frame.payload for frame in frames[1:])).digest()
        states = [state for frame in frames if frame.kind == "states" for state in unpack(frame.payload)]
        names = [path.encode() for path, _, _ in states]
        self.check(rest == first["digest"] and len(states) == first["states"], "base: does not hold what its horizon says")
        self.check(names == sorted(set(names)), "base: is not in order")
        self.states = {path: state for path, _, state in states}
        self.seq, self.chain = first["seq"], first["chain"]
        self.horizon = {k: first[k] for k in ("seq", "time", "at", "written", "reason")}
        self.horizon.update(chain=first["chain"], digest=hashlib.sha256(frames[0].payload).digest())
        self.term_known = False
        for hash_, by in first["missing"]:
            (self.purged if by else self.lost).add(hash_)
        for path, seq, state in states:
            if state[0] == 1:
                self.named.setdefault(state[1], (seq, state[2]))

    def check(self, right, what):
        if not right:
            self.problems.append(what)

    def hint(self):
        """The position in CHECKPOINT, if that is there and sound."""
        try:
            with open(os.path.join(self.folder, "CHECKPOINT"), encoding="utf-8") as file:
                given = json.load(file)
            segment, offset = given["position"]
            text = f"{self.format['journal']}:{segment}:{offset}"
            return (segment, offset) if hashlib.sha256(text.encode()).hexdigest()[:16] == given["digest"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def chain_at(self, seq):
        """The chain value after a transaction; None where that is lost."""
        known = {t["seq"]: t["chain"] for t in reversed(self.transactions)}
        if self.horizon and seq <= self.horizon["seq"]:
            return self.horizon["chain"] if seq == self.horizon["seq"] else None
        return known.get(seq) if seq else hashlib.sha256(self.id).digest()

    def on_segment(self, frame, map_):
        at = f"segment {frame.segment}"
        self.check(map_["journal"] == self.id, f"{at}: of another journal")
        self.check(map_["segment"] == frame.segment, f"{at}: says it is segment {map_['segment']}")
        self.check((map_["seq"], map_["chain"]) == (self.seq, self.chain), f"{at}: begins at another chain value")

    def on_term(self, frame, map_):
        self.check(map_["term"] == frame.term, f"term frame at {frame.position}: names another term")
        self.terms.append(map_)
        self.term_known = True

    def on_content(self, frame, map_):
        for index, (hash_, encoding, data) in enumerate(map_["contents"]):
            at = f"content {hash_.hex()} at {frame.position}"
            self.encodings[encoding] = self.encodings.get(encoding, 0) + 1
            if encoding == 1:
                self.check(not data.strip(b"\0"), f"{at}: purged, but not all zeros")
                continue
            try:
                content = self.made(data, encoding, frame.position, index)
            except (IndexError, KeyError, OSError, ValueError, zlib.error) as error:
                self.check(False, f"{at}: cannot be made: {error!r}")
                continue
            if content is None:
                self.contents.setdefault(hash_, None)
            elif hashlib.sha256(content).digest() == hash_:
                self.contents[hash_] = content
                self.records[(*frame.position, index)] = hash_
            else:
                self.check(False, f"{at}: does not hash to its name")

    def made(self, data, encoding, position, index):
        """What a record of the encodings 0, 2 and 3 has; None for any other."""
        if encoding == 0:
            return data
        if encoding == 2:
            length, at = number(data, 0)
            content = zlib.decompressobj(-15).decompress(data[at:], length + 1)
            if len(content) != length:
                raise ValueError(f"not of {length} bytes")
            return content
        if encoding != 3:
            return None
        base, at = data[:32], 32
        place, at = number(data, at)
        if place == 0:
            with open(self.blob(base), "rb") as file:
                content = file.read()
        else:
            where = list(position)
            for n in range(0 if place == 2 else 2, 2):
                where[n], at = number(data, at)
            beside, at = number(data, at)
            if (*where, beside) >= (*position, index) or self.records[(*where, beside)] != base:
                raise ValueError("the base is not in its place")
            content = self.contents[base]
        step, at = number(data, at)
        length, at = number(data, at)
        out, done = [], 0
        while at < len(data):
            skip, at = number(data, at)
            keep, at = number(data, at)
            insert, at = number(data, at)
            if done + skip + keep > len(content) or at + insert > len(data):
                raise ValueError("it reaches beyond an end")
            out += [content[done + skip:done + skip + keep], data[at:at + insert]]
            done, at = done + skip + keep, at + insert
        result = b"".join(out)
        if len(result) != length or step > 4095:
            raise ValueError(f"not of {length} bytes, or of step {step}")
        return result

    def on_commit(self, frame, parts):
        chain, raw, words = parts
        body = unpack(raw)
        seq = self.seq + 1
        time = self.transactions[-1]["time"] if self.transactions else self.horizon["time"] if self.horizon else 0
        announced = not self.term_known or self.terms and self.terms[-1]["term"] == frame.term
        self.check(announced, f"transaction {seq}: its writer announced no term")
        self.check(body["seq"] == seq, f"transaction {seq}: calls itself {body['seq']}")
        self.check(body["time"] >= time, f"transaction {seq}: older than the one before")
        self.check(body["done"] < seq, f"transaction {seq}: was done before it was written")
        self.check(re.fullmatch(r"t[0-9a-z]{15}", body["tx"]), f"transaction {seq}: odd id {body['tx']!r}")
        for tx, paths in body.get("about", []):
            right = isinstance(tx, str) and (paths is None or all(isinstance(path, str) for path in paths))
            self.check(right and "of" not in body, f"transaction {seq}: is about what cannot be")
        linked = hashlib.sha256(raw).digest() == self.body if self.body else hashlib.sha256(self.chain + raw).digest() == chain
        self.check(linked, f"transaction {seq}: chain broken")
        self.seq, self.chain, self.body = body["seq"], chain, None
        self.transactions.append({**body, "chain": chain})
        if "horizon" in body:
            self.named_horizon = (seq, body["horizon"])
        said = [entry for entry in body["entries"] if entry["op"] in WORDS]
        self.check(len(said) == len(words), f"transaction {seq}: {len(words)} words for {len(said)} entries")
        for entry, item in zip(said, words):
            purged = item is None or not item.strip(b"\0")
            right = purged or hashlib.sha256(item).digest() == entry["words"]
            self.check(right, f"transaction {seq}: words of {entry['path']} do not hash right")
            del entry["words"]
            text = None if purged else unpack(item)
            entry[WORDS[entry["op"]]] = json.loads(text) if entry["op"] == "revise" and text is not None else text
        for entry in body["entries"]:
            if entry["op"] == "note":
                self.check(self.format["version"] >= 5, f"transaction {seq}: a note in version {self.format['version']}")
                entry["value"] = json.loads(entry["value"])
                self.check(isinstance(entry["value"], dict), f"transaction {seq}: a note that is no object")
            for hash_ in entry.get("hashes", []):
                self.contents.pop(hash_, None)
                self.purged.add(hash_)
            for key in STATES:
                state = entry.get(key)
                if state and state[0] == 1:
                    self.named.setdefault(state[1], (seq, state[2]))

    def on_gap(self, frame, map_):
        self.term_known = False
        before = self.seq
        if "seq" in map_:
            self.check(map_["seq"] >= self.seq, f"gap at {frame.position}: goes back")
            self.seq, self.body = map_["seq"], map_.get("next")
            self.chain = b"\0" * 32 if self.body else map_.get("chain", self.chain)
        self.lost.update(map_.get("contents", []))
        self.gaps.append({"position": list(frame.position), "lost": list(range(before + 1, self.seq + 1))})

    def on_checkpoint(self, frame, map_):
        at = f"checkpoint at {frame.position}"
        self.check(tuple(map_["redo"]) <= frame.position, f"{at}: redo after itself")
        known = map_["seq"] <= self.seq and self.chain_at(map_["seq"]) in (map_["chain"], None if self.gaps or self.horizon else b"")
        self.check(known, f"{at}: names another chain value")
        self.checkpoints.append({"position": list(frame.position), **map_})

    def blob(self, hash_):
        name = hash_.hex()
        return os.path.join(self.folder, "blobs", name[:2], name[2:])

    def find_contents(self):
        """Checks that every content that an entry names is here, right, and of its size."""
        self.where = {}
        for hash_, (seq, size) in self.named.items():
            found, name = None, hash_.hex()
            if self.contents.get(hash_) is not None:
                found, self.where[name] = len(self.contents[hash_]), "log"
            elif os.path.exists(self.blob(hash_)):
                sha, found = hashlib.sha256(), 0
                for part in self.pieces(hash_):
                    sha.update(part)
                    found += len(part)
                self.where[name] = "blob"
                self.check(sha.digest() == hash_, f"blob {name}: does not hash to its name")
            elif hash_ in self.purged or hash_ in self.lost:
                self.where[name] = "purged" if hash_ in self.purged else "lost"
                continue
            self.check(found is not None, f"content {name}, named by transaction {seq}: nowhere")
            self.check(found in (None, size), f"content {name}: of {found} bytes, not {size}")

    def pieces(self, hash_):
        if self.contents.get(hash_) is not None:
            yield self.contents[hash_]
            return
        with open(self.blob(hash_), "rb") as file:
            while part := file.read(1 << 20):
                yield part

    def tree(self, at):
        """What stands at every path after transaction `at`."""
        tree = dict(self.states)
        for transaction in (t for t in self.transactions if t["seq"] <= at):
            for entry in transaction["entries"]:
                if entry["op"] in ("preserve", "purge", "note"):
                    continue
                tree[entry["path"]] = None if entry["op"] == "rename" else entry["after"]
                if entry["op"] == "rename":
                    tree[entry["to"]] = entry["after"]
        return {path: state for path, state in sorted(tree.items()) if state is not None}

    def rebuild(self, at, to):
        os.mkdir(to)
        tree = self.tree(at)
        for path, state in tree.items():
            target = os.path.join(to, *path.split("/"))
            if state[0] == 2:
                os.makedirs(target, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if state[0] == 3:
                os.symlink(state[1], target)
                continue
            with open(target, "xb") as file:
                for part in self.pieces(state[1]):
                    file.write(part)
            os.chmod(target, state[3])
        # Folders last and deepest first: one without write permission could not be filled.
        for path in sorted((p for p, s in tree.items() if s[0] == 2), reverse=True):
            os.chmod(os.path.join(to, *path.split("/")), tree[path][1])

    def to_json(self, points):
        def entry_json(entry):
            return {k: state_json(v) if k in STATES else jsonable(v) for k, v in entry.items()}

        return {
            "format": self.format,
            "end": {"is": self.log.end, "position": list(self.log.position)},
            "segments": len(self.log.sizes),
            "frames": self.counts,
            "terms": [{"term": t["term"], "time": t["time"]} for t in self.terms],
            "checkpoints": [jsonable({k: c[k] for k in ("position", "redo", "seq", "chain", "clean")}) for c in self.checkpoints],
            "transactions": [{**jsonable(t), "entries": [entry_json(e) for e in t["entries"]]} for t in self.transactions],
            "contents": dict(sorted(self.where.items())),
            "trees": {str(n): {p: state_json(s) for p, s in self.tree(n).items()} for n in points},
            "chain": self.chain.hex(),
            **({"encodings": dict(sorted(self.encodings.items()))} if self.format["version"] >= 3 else {}),
            **({"gaps": self.gaps} if self.gaps else {}),
            **({"horizon": jsonable(self.horizon)} if self.horizon else {}),
            "problems": self.problems,
        }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("journal", help="the folder .journal")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--at", type=int, action="append", metavar="N", help="after transaction N")
    arguments.add_argument("--to", metavar="DIR", help="rebuild the workspace in this new folder")
    given = arguments.parse_args()
    if not os.path.isfile(os.path.join(given.journal, "FORMAT")):
        arguments.error(f"{given.journal} has no file FORMAT: not a journal")
    journal = Journal(given.journal)
    points = given.at or [journal.seq]
    least = journal.horizon["seq"] if journal.horizon else 0
    if not all(least <= n <= journal.seq for n in points) or (given.to and len(points) > 1):
        arguments.error(f"--at must be from {least} to {journal.seq}, and one only with --to")
    if given.to:
        journal.rebuild(points[0], given.to)
    if given.json:
        json.dump(journal.to_json(points), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        for t in journal.transactions:
            paths = ", ".join(f"{e['op']} {e.get('path', e.get('topic'))}" for e in t["entries"])
            print(f"{t['seq']:>6} {t['tx']} {t['kind']:<8} {t['chain'].hex()[:16]} {t.get('actor') or '-'}: {paths}")
        print(f"{len(journal.log.frames)} frames, end {journal.log.end} at {journal.log.position}: {journal.log.why or 'all is well'}")
        for problem in journal.problems:
            print(f"problem: {problem}")
    return 4 if journal.log.end == "corrupt" else 1 if journal.problems else 0


if __name__ == "__main__":
    sys.exit(main())
