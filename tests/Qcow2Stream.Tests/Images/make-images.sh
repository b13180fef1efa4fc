#!/usr/bin/env bash
# Makes the images in this folder. Made with qemu-img 7.2.22, e2fsprogs 1.47.0 and gzip 1.12; other versions may
# place clusters elsewhere, and the snapshots would have to be looked at again.
set -euo pipefail
export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin"
umask 022

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

create() { qemu-img create -q -f qcow2 "$@"; }

io() {
  local image=$1 arguments=() command
  shift
  for command in "$@"; do arguments+=(-c "$command"); done
  qemu-io -f qcow2 "${arguments[@]}" "$image" > /dev/null
}

# The first N bytes of a text that compresses, but not to nothing. (head closes the pipe, hence no pipefail.)
text() { (set +o pipefail; seq -f 'line %06g of the guest disk' 1 100000 | head -c "$1"); }

# Version 2, two L2 tables' worth of disk with nothing in between.
create -o compat=0.10,cluster_size=4k v2.qcow2 4M
io v2.qcow2 'write -P 0x11 0 8k' 'write -P 0x12 20k 6k' 'write -P 0x13 3M 4k'

# The smallest cluster: 64 entries an L2 table, so 128 KiB need four of them.
create -o compat=1.1,cluster_size=512 v3-512.qcow2 128k
io v3-512.qcow2 'write -P 0x21 0 1536' 'write -P 0x22 32256 1k' 'write -P 0x23 100k 512' 'write -z -u 101k 1k'

# The default cluster.
create v3-64k.qcow2 1M
io v3-64k.qcow2 'write -P 0x31 128k 64k' 'write -z -u 256k 128k'

# The largest cluster. Its tables alone take 8 MiB, nearly all of it zeros, so it is kept packed.
create -o cluster_size=2M v3-2m.qcow2 64M
io v3-2m.qcow2 'write -P 0x41 2M 2M' 'write -c -P 0x42 6M 2M' 'write -c -P 0x43 8M 2M' 'write -z -u 12M 4M'
gzip -9 -n v3-2m.qcow2

# Compressed clusters, packed at odd offsets, and two plain ones behind them.
text 114688 > text.raw
for type in zlib zstd; do
  qemu-img convert -c -m 1 -f raw -O qcow2 -o "compression_type=$type,cluster_size=4k" text.raw "$type.qcow2"
  qemu-img resize -q -f qcow2 "$type.qcow2" 128k
  io "$type.qcow2" 'write -P 0x51 112k 8k'
done

# Zero clusters: without a host cluster (8k..16k), and over data that keeps its host clusters (24k..32k).
create -o cluster_size=4k zero.qcow2 64k
io zero.qcow2 'write -P 0x61 0 8k' 'write -z -u 8k 8k' 'write -P 0x62 20k 16k' 'write -z 24k 8k'

# Subclusters of 512 bytes: written, zeroed, untouched, and a cluster with nothing but zeroed ones.
create -o extended_l2=on,cluster_size=16k extended-l2.qcow2 128k
io extended-l2.qcow2 'write -P 0x71 1k 2k' 'write -z -u 5k 1k' 'write -P 0x72 16k 16k' 'write -z 20k 2k' \
  'write -z -u 64k 512' 'write -c -P 0x73 96k 16k'

# Four layers. The raw one ends in the middle of a sector and has no holes, which a checkout would not keep.
text 37000 > chain-0.raw
create -o cluster_size=4k -b chain-0.raw -F raw chain-1.qcow2 64k
io chain-1.qcow2 'write -P 0x81 4k 4k' 'write -P 0x81 48k 12k' 'write -z -u 12k 4k'
create -o cluster_size=4k -b chain-1.qcow2 -F qcow2 chain-2.qcow2 56k
io chain-2.qcow2 'write -P 0x82 8k 4k' 'write -z -u 16k 4k' 'write -c -P 0x84 24k 4k'
create -o cluster_size=8k -b chain-2.qcow2 -F qcow2 chain-3.qcow2 96k
io chain-3.qcow2 'write -P 0x83 0 1k' 'write -P 0x83 80k 8k'

# Overlays that record no format. qemu-img refuses to make them, so the extension gets a type that nobody knows.
forget_format() {
  local offset
  offset=$(xxd -p -l 4096 "$1" | tr -d '\n' | grep -bo e2792aca | head -n 1 | cut -d: -f1)
  printf 'none' | dd of="$1" bs=1 seek=$((offset / 2)) conv=notrunc status=none
}
create -o cluster_size=4k -b zero.qcow2 -F qcow2 no-format-qcow2.qcow2
io no-format-qcow2.qcow2 'write -P 0x91 4k 4k'
forget_format no-format-qcow2.qcow2
create -o cluster_size=4k -b chain-0.raw -F raw no-format-raw.qcow2 40k
io no-format-raw.qcow2 'write -P 0x92 4k 4k'
forget_format no-format-raw.qcow2

# An empty disk, and one that ends inside a cluster.
create -o cluster_size=4k empty.qcow2 0
create -o cluster_size=4k odd-size.qcow2 42496
io odd-size.qcow2 'write -P 0xA1 8k 4k' 'write -P 0xA2 40k 1536'

# Data in a file of its own.
create -o cluster_size=4k,data_file=data-file.raw data-file.qcow2 64k
io data-file.qcow2 'write -P 0xB1 0 8k' 'write -P 0xB2 16k 4k' 'write -z -u 32k 8k'

# Three snapshots of a disk that grew twice; the second one with a saved machine state. Their dates are set to
# 2024-01-01 00:00:00.5, later ones a day each, so that the image is the same each time.
create -o cluster_size=4k snapshots.qcow2 40k
io snapshots.qcow2 'write -P 0xC1 0 8k' 'write -c -P 0xC2 8k 4k' 'write -z -u 12k 4k'
qemu-img snapshot -c first snapshots.qcow2
qemu-img resize -q snapshots.qcow2 64k
io snapshots.qcow2 'write -P 0xC3 4k 8k' 'write -P 0xC4 48k 4k' 'write -b -P 0xC8 0 10k'
qemu-img snapshot -c second snapshots.qcow2
io snapshots.qcow2 'write -P 0xC5 12k 4k' 'discard 48k 4k'
qemu-img snapshot -c 'third one' snapshots.qcow2
qemu-img resize -q snapshots.qcow2 96k
io snapshots.qcow2 'write -P 0xC6 80k 8k'
python3 - snapshots.qcow2 << 'PYTHON'
import struct, sys
with open(sys.argv[1], 'r+b') as f:
    header = f.read(72)
    count, position = struct.unpack('>IQ', header[60:72])
    for index in range(count):
        f.seek(position)
        fixed = f.read(40)
        id_size, name_size = struct.unpack('>HH', fixed[12:16])
        extra_size = struct.unpack('>I', fixed[36:40])[0]
        f.seek(position + 16)
        f.write(struct.pack('>II', 1704067200 + 86400 * index, 500000000))
        if index == 1:
            # qemu-img saves no machine state and records a size of 0; qemu-io has written one.
            f.seek(position + 32)
            f.write(struct.pack('>IIQ', 10240, extra_size, 10240))
        position += (40 + extra_size + id_size + name_size + 7) & ~7
PYTHON

# Dirty bitmaps: one that goes on recording, one that is disabled, one that was not saved cleanly.
create -o cluster_size=4k bitmaps.qcow2 1M
qemu-img bitmap --add -g 512 bitmaps.qcow2 fine
qemu-img bitmap --add -g 64k bitmaps.qcow2 coarse
io bitmaps.qcow2 'write -P 0xD1 0 4k' 'write -P 0xD2 10000 1k' 'write -P 0xD3 512k 128k' 'write -P 0xD4 1048064 512'
qemu-img bitmap --disable bitmaps.qcow2 coarse
io bitmaps.qcow2 'write -P 0xD5 300k 4k'
qemu-img bitmap --add -g 4k bitmaps.qcow2 unsaved
python3 - bitmaps.qcow2 << 'PYTHON'
import struct, sys
with open(sys.argv[1], 'r+b') as f:
    data = f.read(4096)
    at = data.index(bytes.fromhex('2385287500000018'))
    count, _, size, position = struct.unpack('>IIQQ', data[at + 8:at + 32])
    while True:
        f.seek(position)
        fixed = f.read(24)
        flags = struct.unpack('>I', fixed[12:16])[0]
        name_size, extra_size = struct.unpack('>HI', fixed[18:24])
        f.seek(position + 24 + extra_size)
        if f.read(name_size) == b'unsaved':
            break
        position += (24 + name_size + extra_size + 7) & ~7
    f.seek(position + 12)
    f.write(struct.pack('>I', flags | 1))
PYTHON

# Encrypted, the passphrase is "open sesame". The LUKS keys and salts are random: this image differs each time.
# Nearly all of it is one key slot's material, which does not compress; the other seven slots do.
secret=(--object 'secret,id=key,data=open sesame')
for method in aes luks; do
  rounds=; [ "$method" = aes ] || rounds=,encrypt.iter-time=100
  # On a busy machine qemu-img may find its own CPU time too uncertain to choose a number of rounds by.
  until qemu-img create -q -f qcow2 "${secret[@]}" \
    -o "cluster_size=4k,encrypt.format=$method,encrypt.key-secret=key$rounds" "$method.qcow2" 64k; do :; done
  qemu-io "${secret[@]}" --image-opts "driver=qcow2,encrypt.key-secret=key,file.filename=$method.qcow2" \
    -c 'write -P 0xE1 0 5k' -c 'write -P 0xE2 20k 8k' -c 'write -z -u 32k 4k' > /dev/null
done
gzip -9 -n luks.qcow2

# A file system for the DiscUtils example.
mkdir -p tree/documents
echo 'Hello from inside a qcow2 image.' > tree/hello.txt
text 300000 > tree/documents/lines.txt
printf 'one\ntwo\nthree\n' > tree/documents/three.txt
find tree -exec touch -h -d '2024-01-01 00:00:00Z' {} +
export E2FSPROGS_FAKE_TIME=1704067200
truncate -s 2M ext4.raw
mkfs.ext4 -q -b 1024 -L qcow2stream -U 0b5c0d2e-7c1f-4f3b-9a53-5f0f3b1b8f10 -N 64 -m 0 \
  -O '^has_journal,^metadata_csum,^resize_inode' \
  -E hash_seed=0b5c0d2e-7c1f-4f3b-9a53-5f0f3b1b8f10,root_owner=0:0,lazy_itable_init=0 -d tree ext4.raw
# mkfs takes over each inode's owner and the time of its last change, which no tool sets on a source file.
find tree -mindepth 1 -printf 'set_inode_field /%P ctime @1704067200\nset_inode_field /%P uid 0\nset_inode_field /%P gid 0\n' | debugfs -w -f - ext4.raw > /dev/null 2>&1
e2fsck -fn ext4.raw > /dev/null 2>&1
qemu-img convert -c -m 1 -f raw -O qcow2 -o cluster_size=64k ext4.raw ext4.qcow2

for image in *.qcow2; do
  # The bitmap that was not saved cleanly is there on purpose, and an encrypted image asks for its key.
  case $image in bitmaps.qcow2 | aes.qcow2) continue ;; esac
  qemu-img check -q -f qcow2 "$image"
done
rm -f -- text.raw ext4.raw
cp --sparse=never -- *.qcow2 *.raw *.gz "$here/"
