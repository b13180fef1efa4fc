#!/usr/bin/env bash
# Makes the guest disks in this folder that need a kernel and what this machine's kernel mounts: XFS as today's installers make it. Run as root, with
# loop devices. Made with Linux 6.1, xfsprogs 6.1.0 and qemu-img 7.2. The images come out a little different each time.
#
# make-mounted.sh [FOLDER]   writes to FOLDER rather than to its own.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/tree.sh"
out=$(realpath -- "${1:-$here}")
work=$(mktemp -d)
trap 'mountpoint -q "$work/mnt" && umount "$work/mnt"; rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir -p images trees mnt

# Counts of extents in 64 bits, times past 2038, sparse inodes, directories whose blocks are eight of the volume's.
truncate -s 300M xfs-today.raw
mkfs.xfs -q -m uuid=0b5c0d2e-7c1f-4f3b-9d66-000000000071,bigtime=1,reflink=1,rmapbt=1,inobtcount=1 -i nrext64=1,sparse=1,size=512 \
  -b size=1024 -n size=8192 xfs-today.raw
mount -o loop xfs-today.raw mnt
make_tree mnt links special names sparse

# Directories: in one block, with an index in leaves and in a tree, and with holes where blocks of names became empty.
mkdir mnt/block mnt/leaf mnt/tree mnt/holes
for i in {001..100}; do : > "mnt/block/$i"; done
for i in {001..400}; do : > "mnt/leaf/a name in a leaf $i"; done
for i in {0001..1200}; do : > "mnt/tree/$i"; done
for i in {001..900}; do : > "mnt/holes/$(printf '%s %0.80d' "$i" 0)"; done
find mnt/holes -type f -print0 | sort -z | sed -z -n '150,800p' | xargs -0 rm

# Targets in the inode, in a block, and in two.
ln -s "$(printf 'short/%.0s' {1..20})" mnt/links/120
ln -s "$(printf 'longer/%.0s' {1..90})" mnt/links/630
ln -s "$(printf 'longest/%.0s' {1..127})x" mnt/links/1017

# Files: a tree of extents with holes, extents that were never written, blocks that two files share, and a hole of a tebibyte.
python3 - << 'PYTHON'
import os
with open('mnt/sizes/extents', 'wb') as file:
    for i in range(3000):
        file.seek(i * 3072)
        file.write(bytes([i % 251]) * 1024)
with open('mnt/sizes/unwritten', 'wb') as file:
    os.posix_fallocate(file.fileno(), 0, 1 << 20)
    file.seek(300000)
    file.write(b'in the middle' * 1000)
with open('mnt/sizes/beyond', 'wb') as file:
    file.write(b'the start')
    os.posix_fallocate(file.fileno(), 0, 1 << 20)
    file.truncate(9)
PYTHON
cp --reflink=always mnt/sizes/extents mnt/sizes/shared
printf 'changed' | dd of=mnt/sizes/shared bs=1 seek=5000 conv=notrunc status=none
printf 'later' > mnt/sizes/future
touch -d '2200-06-01 12:34:56.123456700Z' mnt/sizes/future
touch -d '1901-12-20 00:00:00Z' mnt/sizes/empty
find mnt \( -path mnt/sizes/future -o -path mnt/sizes/empty \) -prune -o -exec touch -h -d "@$stamp" {} +
fstrim mnt
umount mnt
mount -o loop,ro xfs-today.raw mnt
list_tree mnt > trees/xfs-today.txt
umount mnt
pack xfs-today.raw images/xfs-today.qcow2
pack_again images/xfs-today.qcow2

# The disk of a guest that runs: what was synchronised last is in the log alone.
truncate -s 300M xfs-log.raw
mkfs.xfs -q -m uuid=0b5c0d2e-7c1f-4f3b-9d66-000000000072 xfs-log.raw
mount -o loop xfs-log.raw mnt
make_tiny_tree mnt xfs-log
umount mnt
mount -o loop xfs-log.raw mnt
echo new > mnt/new
sync mnt/new
cp --sparse=always xfs-log.raw copy.raw
umount mnt
pack copy.raw images/xfs-log.qcow2

mkdir -p "$out/trees"
cp --sparse=never -- images/* "$out/"
cp -- trees/*.txt "$out/trees/"
