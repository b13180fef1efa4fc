#!/usr/bin/env bash
# Makes the guest disks in this folder that need a kernel and what this machine's kernel mounts: XFS, Btrfs and ext4 as today's installers make them. Run as
# root, with loop devices. Made with Linux 6.18, xfsprogs 6.1.0, btrfs-progs 6.2, e2fsprogs 1.47.0, xorriso 1.5.4 and qemu-img 7.2. The images come out a
# little different each time.
#
# make-mounted.sh [FOLDER]   writes to FOLDER rather than to its own.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/tree.sh"
out=$(realpath -- "${1:-$here}")
work=$(mktemp -d)
loops=()
trap 'mountpoint -q "$work/mnt" && umount "$work/mnt"; for loop in "${loops[@]}"; do losetup -d "$loop"; done; rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir -p images trees mnt

# list_replayed NAME   lists what the kernel finds in copy.raw, once it has replayed its log.
list_replayed() {
  mount -o loop copy.raw mnt
  list_tree mnt > "trees/$1.txt"
  umount mnt
}

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
list_replayed xfs-log

# A log that goes on at its start: what follows is in its last blocks and in its first, and nowhere else. Each record is as long as a stripe of the log.
truncate -s 300M xfs-replay.raw
mkfs.xfs --unsupported -q -m uuid=0b5c0d2e-7c1f-4f3b-9d66-000000000073,rmapbt=1 -l size=24m,su=256k -i nrext64=1 -n size=8192 xfs-replay.raw
mount -o loop,logbsize=256k xfs-replay.raw mnt
make_tree mnt links special names sparse
mkdir mnt/removed mnt/moved mnt/many
for i in {001..250}; do : > "mnt/many/before the log $i"; done
lines 30000 31 > mnt/removed/inside
lines 60000 32 > mnt/shared
lines 9000 33 > mnt/overwritten
: > mnt/round
while [ "$(xfs_logprint -t xfs-replay.raw 2> /dev/null | awk '/log tail/ { print $5 }')" -lt 46500 ]; do
  chmod 0600 mnt/round && sync mnt/round
  chmod 0601 mnt/round && sync mnt/round
done
fsfreeze -f mnt
fsfreeze -u mnt
for i in {001..250}; do [ "${i: -1}" = 7 ] || rm "mnt/many/before the log $i"; done
sync mnt/round
for i in {001..300}; do : > "mnt/many/a name in the log $i"; done
chmod 0600 mnt/round && sync mnt/round
rm -r mnt/removed
mv mnt/deep mnt/moved/deeper
lines 20000 34 > mnt/removed
truncate -s 5000 mnt/overwritten
lines 3000 35 | dd of=mnt/overwritten bs=1 seek=100000 conv=notrunc status=none
cp --reflink=always mnt/shared mnt/sharing
lines 4096 36 | dd of=mnt/sharing bs=4096 seek=3 conv=notrunc status=none
sync mnt/removed mnt/overwritten mnt/sharing
ln -s "$(printf 'longer/%.0s' {1..90})" mnt/links/in-the-log
ln mnt/shared mnt/again
mknod mnt/special/zero c 1 5
chmod 4711 mnt/again
chown 1234:70000 mnt/again
rm mnt/sizes/one mnt/links/dangling
mkdir -p mnt/new/in/it
echo new > mnt/new/in/it/file
setfattr -n user.attribute -v "$(printf 'value %.0s' {1..400})" mnt/new/in/it
python3 - << 'PYTHON'
import os
with open('mnt/new/extents', 'wb') as file:
    for i in range(300):
        file.seek(i * 8192)
        file.write(bytes([i % 251]) * 4096)
    file.flush()
    os.fsync(file.fileno())
PYTHON
sync mnt/new/in/it/file
xfs_io -x -c 'shutdown -f' mnt
umount mnt
cp --sparse=always xfs-replay.raw copy.raw
pack copy.raw images/xfs-replay.qcow2
pack_again images/xfs-replay.qcow2
list_replayed xfs-replay

# Two files that exchange what they have, in the midst of which the guest ended: the rest is done when it is mounted. The tool that makes it is older than
# the feature, which is a bit in the superblock. Where it ends is chance: XfsLogTests says if nothing was left to do, then this is to be run again.
truncate -s 300M xfs-exchange.raw
mkfs.xfs --unsupported -q -m uuid=0b5c0d2e-7c1f-4f3b-9d66-000000000074 -l size=10m xfs-exchange.raw
python3 - << 'PYTHON'
import struct
def crc32c(data):
    sum = 0xFFFFFFFF
    for byte in data:
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (0x82F63B78 if sum & 1 else 0)
    return sum ^ 0xFFFFFFFF
with open('xfs-exchange.raw', 'r+b') as file:
    block = bytearray(file.read(512))
    block[219] |= 0x40
    block[224:228] = bytes(4)
    block[224:228] = struct.pack('<I', crc32c(block))
    file.seek(0)
    file.write(block)
PYTHON
mount -o loop xfs-exchange.raw mnt
make_tiny_tree mnt xfs-exchange
python3 - << 'PYTHON'
import fcntl, os, struct, subprocess, threading, time
for name in ('first', 'second'):
    with open('mnt/' + name, 'wb') as file:
        for i in range(1500):
            file.seek(i * 8192)
            file.write((name.encode() + b' %d ' % i).ljust(4096, b'.'))
        file.flush()
        os.fsync(file.fileno())
os.sync()
first, second = (os.open('mnt/' + name, os.O_RDWR) for name in ('first', 'second'))
def exchange():
    try:
        while True:
            fcntl.ioctl(second, 0x40285881, struct.pack('iIQQQQ', first, 0, 0, 0, 1499 * 8192, 0))
    except OSError:
        pass
worker = threading.Thread(target=exchange)
worker.start()
time.sleep(0.2)
with open('mnt/some folder/written', 'wb') as file:
    for i in range(20):
        file.write(b'synchronised %d\n' % i)
        file.flush()
        os.fsync(file.fileno())
subprocess.run(['xfs_io', '-x', '-c', 'shutdown', 'mnt'], check=True)
worker.join()
PYTHON
umount mnt
cp --sparse=always xfs-exchange.raw copy.raw
pack copy.raw images/xfs-exchange.qcow2
pack_again images/xfs-exchange.qcow2
list_replayed xfs-exchange

# Btrfs with subvolumes as Ubuntu makes them, a snapshot, and one inside another; its /etc/fstab says where the guest mounts them.
truncate -s 220M btrfs-today.raw
mkfs.btrfs -q -m single -L today -U "$(uuid 73)" btrfs-today.raw
mount -o loop,max_inline=2048 btrfs-today.raw mnt
btrfs -q subvolume create mnt/@
btrfs -q subvolume create mnt/@home
btrfs -q subvolume create mnt/@snapshots
make_tree mnt/@ links special names sparse many
mkdir -p mnt/@/home/empty mnt/@/var/lib "mnt/@/snap shots" mnt/@/top
btrfs -q subvolume create mnt/@/var/lib/machines
echo inside > mnt/@/var/lib/machines/inside
cat > mnt/@/etc/fstab << FSTAB
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=$(uuid 73) / btrfs defaults,subvol=@ 0 1
LABEL=today	/home	btrfs	defaults,subvol=/@home	0	2
/dev/vda2 /snap\040shots btrfs subvol=@snapshots,ro 0 0
UUID=$(uuid 74) /var/lib/machines btrfs subvol=@home 0 0
UUID=$(uuid 73) /top btrfs subvolid=5 0 0
/swapfile none swap sw 0 0
FSTAB
echo user > mnt/@home/user

# Compressed in each way: in the tree, in one piece and in several, parts of pieces, and what can't be compressed.
for kind in zlib lzo zstd; do
  mkdir "mnt/@/$kind"
  btrfs property set "mnt/@/$kind" compression $kind
  printf '127.0.0.1 localhost\n' > "mnt/@/$kind/hosts"
  lines 1900 6 > "mnt/@/$kind/inline"
  lines 700001 7 > "mnt/@/$kind/large"
  (head -c 3000 /dev/zero; lines 4000 8; head -c 200000 /dev/zero; lines 3000 9) > "mnt/@/$kind/zeros"
  sync
  lines 5000 10 | dd of="mnt/@/$kind/large" bs=1 seek=300000 conv=notrunc status=none
  cp --reflink=always "mnt/@/$kind/large" "mnt/@/$kind/shared"
  truncate -s 400001 "mnt/@/$kind/shared"
done
python3 - << 'PYTHON'
import os, random
noise = random.Random(11)
for kind in ('zlib', 'lzo', 'zstd'):
    with open(f'mnt/@/{kind}/noise', 'wb') as file:
        file.write(noise.randbytes(20000))
with open('mnt/@/sizes/extents', 'wb') as file:
    for i in range(600):
        file.seek(i * 12288)
        file.write(bytes([i % 251]) * 4096)
with open('mnt/@/sizes/unwritten', 'wb') as file:
    os.posix_fallocate(file.fileno(), 0, 1 << 20)
    file.seek(300000)
    file.write(b'in the middle' * 1000)
PYTHON
sync

# The rest of the first chunk of data is taken: so a file starts where the next chunk does.
for i in {01..20}; do fallocate -l 1M "mnt/@/fill-$i" && lines 20000 12 > "mnt/@/sizes/start-$i" && sync; done
rm mnt/@/fill-*
btrfs -q subvolume snapshot -r mnt/@ mnt/@snapshots/before
echo changed > mnt/@/etc/changed
echo user2 > mnt/@home/user2
find mnt/@ mnt/@home mnt/@snapshots/before -exec touch -h -d "@$stamp" {} + 2> /dev/null || true
sync
fstrim mnt
umount mnt
mount -o loop,ro,subvol=@ btrfs-today.raw mnt
list_tree mnt > trees/btrfs-today.txt
umount mnt
pack btrfs-today.raw images/btrfs-today.qcow2

# Btrfs over several devices, each a partition: what is striped, mirrored, and has parity; each kind of checksum.
make_devices() {
  local name=$1 count=$2 id=$3 i size=$((130 * 2048)) devices=()
  shift 3
  truncate -s "$((count * 130 + 4))M" "$name.raw"
  (echo 'label: gpt'; echo "label-id: $(uuid $((id + 10)))"; for ((i = 0; i < count; i++)); do
    echo "start=$((2048 + i * size)), size=$size, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=$(uuid $((id * 100 + i)))"
  done) | sfdisk -q "$name.raw"
  for ((i = 0; i < count; i++)); do
    devices+=("$(losetup -f --show --offset $(((2048 + i * size) * 512)) --sizelimit $((size * 512)) "$name.raw")")
    loops+=("${devices[-1]}")
  done
  mkfs.btrfs -q -f -U "$(uuid "$id")" "$@" "${devices[@]}"
  mount -t btrfs -o "$(printf 'device=%s,' "${devices[@]}")noatime" "${devices[0]}" mnt
  make_tree mnt links many
  lines 1300001 13 > mnt/sizes/striped
  python3 -c "import random; open('mnt/sizes/noise', 'wb').write(random.Random(14).randbytes(70000))"
  find mnt -exec touch -h -d "@$stamp" {} +
  sync
  umount mnt
  mount -t btrfs -o "ro,$(printf 'device=%s,' "${devices[@]}")noatime" "${devices[0]}" mnt
  list_tree mnt > "trees/$name-1.txt"
  umount mnt
  for i in "${devices[@]}"; do losetup -d "$i"; done
  loops=()
  pack "$name.raw" "images/$name.qcow2"
}
make_devices btrfs-raid0 3 81 -d raid0 -m raid1 --csum blake2
make_devices btrfs-raid10 4 82 -d raid10 -m raid10 --csum xxhash
make_devices btrfs-raid5 3 83 -d raid5 -m raid5 --csum sha256
make_devices btrfs-raid6 5 84 -d raid6 -m raid1c3

# The disk of a guest that runs: what was synchronised last is in the log tree alone.
truncate -s 120M btrfs-log.raw
mkfs.btrfs -q -m single -U "$(uuid 78)" btrfs-log.raw
mount -o loop,commit=300 btrfs-log.raw mnt
make_tiny_tree mnt btrfs-log
sync
echo new > mnt/new
python3 -c "import os; os.fsync(os.open('mnt/new', os.O_RDONLY))"
cp --sparse=always btrfs-log.raw copy.raw
umount mnt
pack copy.raw images/btrfs-log.qcow2

# The disk of a guest that runs: a journal with checksums whose log has gone round, with blocks that were revoked and then given to files, and links whose
# targets look like the journal's own blocks.
truncate -s 8M ext4-log.raw
mkfs.ext4 -q -b 1024 -O metadata_csum,64bit,^resize_inode -J size=1 -N 512 -m 0 -U "$(uuid 94)" -E hash_seed="$(uuid 95)" ext4-log.raw
mount -o loop,commit=300 ext4-log.raw mnt
rmdir mnt/lost+found
make_tiny_tree mnt ext4-log links
for round in {1..80}; do
  mkdir "mnt/round $round"
  for i in {1..9}; do mkdir "mnt/round $round/$i" && lines 1500 "$round" > "mnt/round $round/$i/file"; done
  ln -s "$(printf '\xc0\x3b\x39\x98%.0s' {1..20})" "mnt/round $round/link"
  sync -f mnt
  rm -rf "mnt/round $((round - 1))"
  lines $((round % 7 * 9000)) 7 > "mnt/instead $((round % 3))"
  sync "mnt/instead $((round % 3))"
  ln -sf "round $round" mnt/last
  find mnt -exec touch -h -d "@$stamp" {} +
  echo "in transaction $round" > mnt/synchronised
  sync mnt/synchronised
  cp --sparse=always ext4-log.raw copy.raw

  # Until there is more at the log's beginning than at its end.
  log=$(debugfs -R logdump copy.raw 2> /dev/null | grep -o 'at block [0-9]*' | cut -d ' ' -f 3)
  first=$(head -n 1 <<< "$log")
  [ "$(awk -v first="$first" '$1 < first { count++ } END { print count + 0 }' <<< "$log")" -lt 12 ] || break
done
umount mnt
cp --sparse=always copy.raw replayed.raw
mount -o loop replayed.raw mnt
umount mnt
mount -o loop,ro replayed.raw mnt
list_tree mnt > trees/ext4-log.txt
umount mnt
pack copy.raw images/ext4-log.qcow2

# Journals of all kinds, on partitions: without checksums, and with the first, second and third; with numbers of 32 and of 64 bits. Each has a block that
# was written twice, one that was revoked, one that was revoked and written again, and one that begins as the journal's own blocks do.
for number in 1 2 3 4; do
  case $number in
    1) features=^metadata_csum,^64bit checksums= ;;
    2) features=^metadata_csum,64bit checksums= ;;
    3) features=metadata_csum,64bit checksums='-c -v 2' ;;
    4) features=metadata_csum,^64bit checksums='-c -v 3' ;;
  esac
  rm -rf folder
  make_tiny_tree folder "journal-$number"
  for file in changed revoked again escaped; do lines 3000 "$number" > "folder/$file"; done
  still folder
  make_ext "journal-$number.raw" 4M folder "$(uuid 96$number)" -t ext4 -b 1024 -O "$features" -J size=1 -N 64
  if [ "$number" = 2 ]; then
    mount -o loop,commit=300,journal_checksum,data=journal "journal-$number.raw" mnt
    (printf '\xc0\x3b\x39\x98'; lines 1020 96) > mnt/escaped
    lines 1024 97 > mnt/changed
    for i in 1 2 3; do mkdir "mnt/$i" && lines 2000 "$i" > "mnt/$i/file" && sync -f mnt && rm -r "mnt/$i"; done
    lines 5000 98 > mnt/again
    find mnt -exec touch -h -d "@$stamp" {} +
    sync mnt/again
    cp --sparse=always "journal-$number.raw" copy.raw
    umount mnt
    mv copy.raw "journal-$number.raw"
  else
    for file in changed revoked again escaped; do
      declare "$file=$(debugfs -R "blocks /$file" "journal-$number.raw" 2> /dev/null | cut -d ' ' -f 1)"
    done
    (lines 2048 97; printf '\xc0\x3b\x39\x98'; lines 1020 96) > first
    lines 2048 98 > second
    debugfs -w -f - "journal-$number.raw" > /dev/null 2>&1 << JOURNAL
jo $checksums
jw -b $changed,$revoked,$escaped first
jw -r $revoked,$again
jw -b $again,$changed second
jw -b $revoked -c first
jc
JOURNAL
  fi
  cp --sparse=always "journal-$number.raw" replayed.raw
  mount -o loop replayed.raw mnt
  umount mnt
  mount -o loop,ro replayed.raw mnt
  list_tree mnt | grep -v ' /lost+found$' > "trees/ext-journals-$number.txt"
  umount mnt
done
truncate -s 18M ext-journals.raw
(echo 'label: gpt'; echo "label-id: $(uuid 960)"; for number in 1 2 3 4; do
  echo "start=$((2048 + (number - 1) * 8192)), size=8192, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=$(uuid 960$number)"
done) | sfdisk -q ext-journals.raw
for number in 1 2 3 4; do dd if="journal-$number.raw" of=ext-journals.raw bs=1M seek=$((1 + (number - 1) * 4)) conv=notrunc,sparse status=none; done
pack ext-journals.raw images/ext-journals.qcow2

# The disk of a guest that runs, with what was synchronised last in a fast commit alone.
truncate -s 16M ext4-fast-commit.raw
mkfs.ext4 -q -b 1024 -O fast_commit -J size=4 -N 64 -m 0 -U "$(uuid 97)" -E hash_seed="$(uuid 98)" ext4-fast-commit.raw
mount -o loop,commit=300 ext4-fast-commit.raw mnt
make_tiny_tree mnt ext4-fast-commit
sync -f mnt
echo new > mnt/new
sync mnt/new
cp --sparse=always ext4-fast-commit.raw copy.raw
umount mnt
pack copy.raw images/ext4-fast-commit.qcow2

# Features of ext4 that mkfs doesn't have by default, on partitions: descriptors in the groups that they describe; clusters of sixteen blocks; block pointers
# to the third level in small inodes; large inodes with data, long times and attributes in them; blocks of 64 KiB, which this kernel doesn't mount.
make_features() {
  mkdir mnt/spread
  for i in {10..69}; do mkdir "mnt/spread/$i" && lines $((i * 50)) "$i" > "mnt/spread/$i/file"; done
  python3 - mnt << 'PYTHON'
import os, sys
root = sys.argv[1]
for i in (1, 59, 60, 61, 100, 159, 160, 161, 199):
    with open(f'{root}/sizes/inline {i}', 'wb') as file:
        file.write(bytes(range(1, 256))[:i])
    os.symlink('x' * i, f'{root}/sizes/link {i}')
for name, value in (('small', 10), ('large', 300)):
    os.symlink('attributed', f'{root}/{name} attributes')
    os.setxattr(f'{root}/{name} attributes', b'trusted.test', b'v' * value, follow_symlinks=False)
for place in (0, 11, 12, 267, 268, 65803, 65804, 70000):
    with open(f'{root}/sizes/far', 'r+b' if os.path.exists(f'{root}/sizes/far') else 'wb') as file:
        file.seek(place * 1024)
        file.write(b'block %06d\n' % place * 60)
with open(f'{root}/sizes/extents', 'wb') as file:
    for i in range(700):
        file.seek(i * 2048)
        file.write(bytes([i % 251 + 1]) * 1024)
with open(f'{root}/sizes/unwritten', 'wb') as file:
    os.posix_fallocate(file.fileno(), 0, 1 << 18)
    file.seek(100000)
    file.write(b'in the middle' * 100)
os.chown(f'{root}/sizes/one', 0xFFFFFFF0, 0x87654321)
PYTHON
  find mnt -exec touch -h -d "@$stamp" {} +
}
mkdir features
make_tree features links special names sparse many
for number in 1 2 3 4; do
  case $number in
    1) options=(-t ext4 -b 1024 -g 512 -N 512 -O '^resize_inode,meta_bg,64bit,metadata_csum,^has_journal') ;;
    2) options=(-t ext4 -b 1024 -C 16384 -N 512 -O '^resize_inode,bigalloc,^has_journal,^metadata_csum,uninit_bg') ;;
    3) options=(-t ext2 -b 1024 -I 128 -N 512 -O '^dir_index,^resize_inode') ;;
    4) options=(-t ext4 -b 1024 -I 1024 -N 1024 -O '^resize_inode,inline_data,ea_inode,large_dir,mmp,metadata_csum_seed,orphan_file,sparse_super2,encrypt,verity') ;;
  esac
  truncate -s 20M "features-$number.raw"
  mke2fs -q -F -m 0 -U "$(uuid 97$number)" -E "hash_seed=$(uuid 97$number),root_owner=0:0,lazy_itable_init=0" "${options[@]}" -d features "features-$number.raw"
  mount -o loop "features-$number.raw" mnt
  make_features
  mkdir mnt/times
  for time in 1901-12-14T00:00:01 1969-12-31T23:59:59.5 2038-01-19T03:14:08.123456700 2106-02-07T06:28:16 2446-05-10T22:38:55.999999900; do
    : > "mnt/times/$time"
    touch -d "${time}Z" "mnt/times/$time"
  done
  umount mnt
  mount -o loop,ro "features-$number.raw" mnt
  list_tree mnt | grep -v ' /lost+found$' > "trees/ext-features-$number.txt"
  umount mnt
done
# This kernel doesn't mount names without case: they are on the disk as others are.
tune2fs -O casefold -E encoding=utf8-12.1 features-4.raw > /dev/null
truncate -s 24M features-5.raw
mke2fs -q -F -t ext4 -m 0 -U "$(uuid 975)" -E "hash_seed=$(uuid 975),root_owner=0:0,lazy_itable_init=0" -b 65536 -N 512 -O ^has_journal -d features \
  features-5.raw 2> /dev/null
list_tree features > trees/ext-features-5.txt
truncate -s 106M ext-features.raw
(echo 'label: gpt'; echo "label-id: $(uuid 970)"; for number in 1 2 3 4 5; do
  echo "start=$((2048 + (number - 1) * 40960)), size=$((number == 5 ? 49152 : 40960)), type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=$(uuid 970$number)"
done) | sfdisk -q ext-features.raw
for number in 1 2 3 4 5; do dd if="features-$number.raw" of=ext-features.raw bs=1M seek=$((1 + (number - 1) * 20)) conv=notrunc,sparse status=none; done
pack ext-features.raw images/ext-features.qcow2

# Names that aren't UTF-8, and some that look like what such names are shown as: ext4, XFS and Btrfs on partitions of one disk.
make_names() {
  python3 - "$1" << 'PYTHON'
import os, sys
root = os.fsencode(sys.argv[1])
for i, name in enumerate([
        b'latin-1 \xe9', b'latin-1 \xe8', b'\xff', b'\xc0\xaf', b'\xed\xa0\x80', b'\xe2\x82', b'\xe2\x82 and more', b'\xf0\x9f\x90', 'Grüße'.encode(),
        rb'\xe9', rb'\x5cxe9', rb'\x5c', rb'\x41', rb'\XE9', rb'\xE9', b'back\\slash', b'\\', b'\\\xe9', b'new\nline', b'control \x1b\x01']):
    with open(root + b'/' + name, 'wb') as file:
        file.write(b'file %d\n' % i)
os.mkdir(root + b'/caf\xe9')
with open(root + b'/caf\xe9/inside', 'wb') as file:
    file.write(b'inside\n')
os.symlink(b'latin-1 \xe9', root + b'/link')
os.symlink(b'caf\xe9/inside', root + b'/link \xe9')
os.symlink(rb'\xe9', root + b'/link to a backslash')
PYTHON
  find "$1" -exec touch -h -d "@$stamp" {} +
}
truncate -s 448M bytes.raw
sfdisk -q bytes.raw << TABLE
label: gpt
label-id: $(uuid 79)
start=2048, size=$((8 * 2048)), uuid=$(uuid 7901)
start=$((16 * 2048)), size=$((300 * 2048)), uuid=$(uuid 7902)
start=$((320 * 2048)), size=$((120 * 2048)), uuid=$(uuid 7903)
TABLE
number=0
for place in 'ext4 1 8' 'xfs 16 300' 'btrfs 320 120'; do
  read -r kind start size <<< "$place"
  number=$((number + 1))
  loops=("$(losetup -f --show --offset "${start}MiB" --sizelimit "${size}MiB" bytes.raw)")
  case $kind in
    ext4) mkfs.ext4 -q -U "$(uuid 791)" "${loops[0]}" ;;
    xfs) mkfs.xfs -q -m uuid="$(uuid 792)" "${loops[0]}" ;;
    btrfs) mkfs.btrfs -q -m single -U "$(uuid 793)" "${loops[0]}" ;;
  esac
  mount "${loops[0]}" mnt
  [ ! -d mnt/lost+found ] || rmdir mnt/lost+found
  make_names mnt
  list_tree mnt > "trees/bytes-$number.txt"
  umount mnt
  losetup -d "${loops[0]}"
  loops=()
done
pack bytes.raw images/bytes.qcow2

# Btrfs whose /etc/fstab names subvolumes in all ways: by bytes that aren't UTF-8, as they are and as octal numbers, by a name that ends with a letter whose last
# byte is a blank elsewhere, by a number that is another's name; and two lines that mean other devices.
truncate -s 120M btrfs-fstab.raw
mkfs.btrfs -q -m single -U "$(uuid 794)" btrfs-fstab.raw
mount -o loop btrfs-fstab.raw mnt
python3 - << 'PYTHON'
import os, subprocess
for name in [b'root \xe9', b'voil\xc3\xa0', b'caf\xe9', b'5', b'elsewhere']:
    subprocess.run([b'btrfs', b'-q', b'subvolume', b'create', b'mnt/' + name], check=True)
    with open(b'mnt/' + name + b'/which', 'wb') as file:
        file.write(name + b'\n')
root = b'mnt/root \xe9/'
for name in [b'etc', b'voil\xc3\xa0', b'caf\xe9', b'top', b'other', b'disk']:
    os.mkdir(root + name)
with open(root + b'etc/fstab', 'wb') as file:
    file.write(b'/dev/vda  /  btrfs  subvol=root\\040\\351  0  0\n'
               b'/dev/vda  /voil\xc3\xa0  btrfs  subvol=voil\xc3\xa0\r\n'
               b'UUID=@  /caf\xe9\tbtrfs  noatime,subvol=caf\xe9\n'.replace(b'@', b'0b5c0d2e-7c1f-4f3b-9a53-000000000794') +
               b'/dev/vda  /top  btrfs  subvolid=5\n'
               b'/dev/vdb  /other  btrfs  subvol=elsewhere\n'
               b'PARTUUID=1  /disk  btrfs  subvol=elsewhere\n')
PYTHON
find mnt -exec touch -h -d "@$stamp" {} +
umount mnt
pack btrfs-fstab.raw images/btrfs-fstab.qcow2

# A mirror of Btrfs whose first device was away while files changed.
truncate -s 264M btrfs-stale.raw
sfdisk -q btrfs-stale.raw << TABLE
label: gpt
label-id: $(uuid 795)
start=2048, size=$((130 * 2048)), uuid=$(uuid 7951)
start=$((131 * 2048)), size=$((130 * 2048)), uuid=$(uuid 7952)
TABLE
for start in 1 131; do loops+=("$(losetup -f --show --offset "${start}MiB" --sizelimit 130MiB btrfs-stale.raw)"); done
mkfs.btrfs -q -d raid1 -m raid1 -U "$(uuid 796)" "${loops[@]}"
mount -t btrfs -o "device=${loops[1]},noatime" "${loops[0]}" mnt
make_tiny_tree mnt btrfs-stale
echo old > mnt/changed
echo gone > mnt/deleted
umount mnt
losetup -d "${loops[0]}"
btrfs -q device scan --forget
mount -t btrfs -o degraded,noatime "${loops[1]}" mnt
echo new > mnt/changed
echo made > mnt/made
rm mnt/deleted
still mnt
umount mnt
btrfs -q device scan --forget
loops=("$(losetup -f --show --offset 1MiB --sizelimit 130MiB btrfs-stale.raw)" "${loops[1]}")
mount -t btrfs -o "ro,device=${loops[1]}" "${loops[0]}" mnt
list_tree mnt > trees/btrfs-stale-1.txt
umount mnt
for loop in "${loops[@]}"; do losetup -d "$loop"; done
loops=()
pack btrfs-stale.raw images/btrfs-stale.qcow2

# A disc whose names aren't UTF-8: Rock Ridge has them as they are. Without those that differ from another by case only, which are not read there.
mkdir disc
make_names disc
rm 'disc/\XE9' 'disc/\xE9'
still disc
xorriso -as mkisofs -quiet -R -o iso-bytes.raw disc 2> /dev/null
list_tree disc > trees/iso-bytes.txt
pack iso-bytes.raw images/iso-bytes.qcow2

mkdir -p "$out/trees"
cp --sparse=never -- images/* "$out/"
cp -- trees/*.txt "$out/trees/"
