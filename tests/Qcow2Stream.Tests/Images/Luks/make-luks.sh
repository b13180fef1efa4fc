#!/usr/bin/env bash
# Makes the LUKS volumes in this folder, or those that are named: make-luks.sh [NAME…]. Made with cryptsetup 2.6.1 and qemu-img 7.2.22.
# Keys, salts and UUIDs are random: they come out different each time. The device mapper isn't needed: the data are encrypted by
# cryptsetup's own reencryption, offline, or by qemu-img. What was left of that in unused parts of the headers is cleared.
set -euo pipefail
export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin"
umask 022

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

length=40960
argon2=(--pbkdf-memory 32 --pbkdf-force-iterations 4)
slow=(--pbkdf-force-iterations 1000)

# The data of all volumes. (head closes the pipe, hence no pipefail.)
(set +o pipefail; seq -f 'line %06g of the volume' 1 100000 | head -c "$length") > plain
printf 'open sesame' > key
printf 'first' > first
printf 'second' > second
printf 'third' > third

# encrypt NAME OPTION…: a LUKS2 volume of 16 MiB of headers and the data.
encrypt() {
  local name=$1
  shift
  cp plain "$name"
  truncate -s $((length + (32 << 20))) "$name"
  cryptsetup reencrypt -q --encrypt --type luks2 --reduce-device-size 32M --force-offline-reencrypt --key-file key "$@" "$name"
  truncate -s $((length + (16 << 20))) "$name"
}

# pack NAME: clears what no key slot and no segment uses, and compresses the rest.
pack() {
  python3 - "$1" <<'P'
import json, struct, sys
with open(sys.argv[1], 'r+b') as file:
    data = file.read()
    if data[6:8] == b'\0\2':
        size = struct.unpack('>Q', data[8:16])[0]
        metadata = json.loads(data[4096:size].split(b'\0')[0])
        used = [(0, 2 * size)] + [(int(slot['area']['offset']), slot['key_size'] * 4000 + 511 & ~511) for slot in metadata['keyslots'].values()]
        start = int(metadata['segments']['0']['offset'])
    else:
        count, = struct.unpack('>I', data[108:112])
        slots = [struct.unpack('>II32sII', data[208 + 48 * i:256 + 48 * i]) for i in range(8)]
        used = [(0, 592)] + [(slot[3] * 512, count * 4000 + 511 & ~511) for slot in slots if slot[0] == 0x00AC71F3]
        start = struct.unpack('>I', data[104:108])[0] * 512
    cleared = bytearray(start)
    for offset, count in used:
        cleared[offset:offset + count] = data[offset:offset + count]
    file.seek(0)
    file.write(cleared)
P
  qemu-img convert -q -f raw -O qcow2 -c -o cluster_size=4k "$1" "$here/$1.qcow2"
}

# qemu NAME CIPHER: a LUKS1 volume by qemu-img.
qemu() {
  local secret=(--object secret,id=s,file=key) attempt
  for attempt in $(seq 100); do
    qemu-img create -q -f luks "${secret[@]}" -o "key-secret=s,iter-time=10,cipher-alg=$2,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha256" "$1" "$length" && break
  done
  qemu-img convert -n "${secret[@]}" -f raw plain --target-image-opts "driver=luks,key-secret=s,file.filename=$1"
}

# LUKS1 with Serpent, which cryptsetup can't use without the kernel.
luks1() {
  qemu luks1 serpent-128
  pack luks1
}

# What cryptsetup makes by default (Argon2id, AES-256 in XTS), but for the cost; several lanes, and sectors of 4 KiB.
luks2() {
  encrypt luks2 --pbkdf argon2id "${argon2[@]}" --pbkdf-parallel 4 --sector-size 4096
  pack luks2
}

# Four key slots, each with another derivation, and a key of 128 bits, so that they are small. The last one is ignored by
# cryptsetup unless it is named, the one before is asked first.
luks2-slots() {
  encrypt luks2-slots --pbkdf argon2id "${argon2[@]}" --pbkdf-parallel 1 --cipher aes-cbc-essiv:sha256 --key-size 128
  cryptsetup luksAddKey -q --key-file key --pbkdf argon2i "${argon2[@]}" --pbkdf-parallel 2 luks2-slots first
  cryptsetup luksAddKey -q --key-file key --pbkdf pbkdf2 "${slow[@]}" --hash sha512 luks2-slots second
  cryptsetup luksAddKey -q --key-file key --pbkdf pbkdf2 "${slow[@]}" --hash sha1 luks2-slots third
  cryptsetup config -q --label 'größer' luks2-slots
  cryptsetup config -q --key-slot 2 --priority prefer luks2-slots
  cryptsetup config -q --key-slot 3 --priority ignore luks2-slots
  pack luks2-slots
}

[ $# -gt 0 ] || set -- luks1 luks2 luks2-slots
for image; do "$image"; done
