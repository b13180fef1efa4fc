#!/usr/bin/env bash
# Makes the guest disks in this folder that only a kernel writes, after make-guests.sh has made the others: it boots
# Debian's kernel in QEMU, mounts the disks and copies the files in. Then a second boot mounts all the disks of this
# folder, also those of make-guests.sh, and lists them: what Linux reads has to be what trees/ says.
# Run as root. Made with Linux 6.1.192 (Debian 12), qemu-system-x86 7.2, busybox-static, kmod, cpio, attr, lvm2
# 2.03.16, udftools 2.3, mkfs.hfsplus 627.40.1 (hfsprogs; not in Debian 12: its source builds with libbsd-dev,
# libmd-dev, uuid-dev), and what make-guests.sh names. These images come out a little different each time.
#
# make-guests-kernel.sh [FOLDER]    GUEST_KERNEL=FOLDER: an unpacked linux-image package, else apt fetches one.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/tree.sh"
. "$here/boot.sh"
out=$(realpath -- "${1:-$here}")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir -p images trees base

get_kernel
make_base crc32c_generic ext4 xfs btrfs fuse hfsplus udf vfat isofs squashfs dm_mod nls_utf8 nls_ascii nls_cp437
program cp mv ln setfattr ntfs-3g btrfs fstrim

# The files.
tree() { make_tree "base/trees/$1" "${@:2}"; }
incompressible() {
  head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K "$(printf %032d "$2")" -iv "$(printf %032d 0)"
}

tree full links special names sparse many

# HFS+ keeps names decomposed.
tree mac links special names sparse many
mv base/trees/mac/names/Grüße.txt "$(printf 'base/trees/mac/names/Gru\xcc\x88\xc3\x9fe.txt')"

# NTFS: the folder "compressed" gets the attribute that its files inherit. The links are made in the guest as what
# Windows has: a symbolic link and a junction, here with the targets that they show. One file has a second stream.
no_backslash=1 tree windows names sparse many
mkdir base/trees/compressed
{ lines 200000 7; head -c 150000 /dev/zero; lines 3000 8; } > base/trees/compressed/compressed.txt
incompressible 5000 1 > base/trees/compressed/random.bin
lines 500 9 > base/trees/compressed/resident.txt
reparse_data() {
  python3 - "$@" << 'PYTHON'
import struct, sys
kind, substitute, shown = sys.argv[1], *(text.encode('utf-16-le') for text in sys.argv[2:])
if kind == 'link':
    data = struct.pack('<HHHHI', 0, len(substitute), len(substitute), len(shown), 1) + substitute + shown
    tag = 0xA000000C
else:
    data = struct.pack('<HHHH', 0, len(substitute), len(substitute) + 2, len(shown))
    data += substitute + b'\0\0' + shown + b'\0\0'
    tag = 0xA0000003
print('0x' + (struct.pack('<IHH', tag, len(data), 0) + data).hex())
PYTHON
}

# btrfs: files in each kind of compression, subvolumes, and a snapshot of one that has changed since.
for name in zlib lzo zstd; do
  mkdir -p "base/trees/btrfs/$name"
  cp base/trees/compressed/compressed.txt "base/trees/btrfs/$name/"
  incompressible 5000 2 > "base/trees/btrfs/$name/random.bin"
  lines 1000 10 > "base/trees/btrfs/$name/inline.txt"
done

# LVM: two ext file systems, the first one in two pieces.
make_tiny_tree lvm-root lvm-root links
make_ext base/trees/lvm-root.raw 8M lvm-root "$(uuid 61)" -t ext4 -b 4096 -N 64
make_tiny_tree lvm-home lvm-home links
make_ext base/trees/lvm-home.raw 3M lvm-home "$(uuid 62)" -t ext2 -b 1024 -N 64

# ext4 whose machine lost power: what its journal holds is not yet in its place.
make_tiny_tree before ext4-journal links
cp -a before base/trees/after
mkdir base/trees/after/new
for n in {1..40}; do echo "new file $n" > "base/trees/after/new/$n.txt"; done
rm 'base/trees/after/some folder/which.txt'
echo 'NAME="Guest Linux, upgraded"' > base/trees/after/etc/new-release
for name in compressed btrfs after; do still "base/trees/$name"; done

# The disks.
truncate -s 300M xfs.raw
mkfs.xfs -q -m "uuid=$(uuid 63)" xfs.raw
truncate -s 110M btrfs-subvolumes.raw
mkfs.btrfs -q -m single -U "$(uuid 64)" btrfs-subvolumes.raw > /dev/null
truncate -s 8M ntfs.raw
mkntfs -q -F -Q -L GUEST -s 512 -p 0 -H 255 -S 63 ntfs.raw 2> /dev/null
truncate -s 8M hfsplus.raw
mkfs.hfsplus -v GUEST hfsplus.raw > /dev/null
truncate -s 8M udf.raw
mkudffs -l GUEST -u 0b5c0d2e7c1f4f3b -b 512 udf.raw > /dev/null
truncate -s 16M lvm.raw
printf 'label: dos\nlabel-id: 0x0b5c0d30\nstart=2048, type=8e\n' | sfdisk -q lvm.raw
make_ext ext4-journal.raw 8M before "$(uuid 65)" -t ext4 -b 4096 -N 128

cat > fill.sh << JOB
junction=$(reparse_data junction '\??\C:\etc' 'C:\etc')
link=$(reparse_data link '..\etc\os-release' '..\etc\os-release')
JOB
cat >> fill.sh << 'JOB'
mount -t xfs /dev/vda /mnt
cp -a --sparse=always /trees/full/. /mnt/
fstrim /mnt
umount /mnt

mount -t btrfs /dev/vdb /mnt
cd /mnt
btrfs subvolume create system
btrfs subvolume create home
cp -a --sparse=always /trees/full/. system/
btrfs subvolume snapshot -r system before
rm -r system/many
echo changed > system/etc/os-release
cd /
for name in zlib lzo zstd; do
  mount -o "remount,compress-force=$name" /mnt
  cp -a "/trees/btrfs/$name" /mnt/home/
  sync -f /mnt
done
umount /mnt
mount -t btrfs /dev/vdb /mnt
fstrim /mnt
umount /mnt

LC_ALL=C.UTF-8 ntfs-3g -o compression,streams_interface=xattr /dev/vdc /mnt
cp -r --preserve=timestamps --sparse=always /trees/windows/. /mnt/
mkdir /mnt/compressed /mnt/links /mnt/links/junction
setfattr -n system.ntfs_attrib_be -v 0x00000800 /mnt/compressed
cp --preserve=timestamps /trees/compressed/* /mnt/compressed/
setfattr -n user.Zone.Identifier -v '[ZoneTransfer]' /mnt/sizes/large.txt
echo twice > /mnt/links/first-name
ln /mnt/links/first-name /mnt/links/second-name
: > /mnt/links/relative
setfattr -n system.ntfs_reparse_data -v "$link" /mnt/links/relative
setfattr -n system.ntfs_reparse_data -v "$junction" /mnt/links/junction
umount /mnt

mount -t hfsplus -o nls=utf8 /dev/vdd /mnt
cp -a /trees/mac/. /mnt/
umount /mnt

mount -t udf -o iocharset=utf8 /dev/vde /mnt
cp -a --sparse=always /trees/full/. /mnt/
umount /mnt

lvm pvcreate -q -y /dev/vdf1
lvm vgcreate -q -s 1M guest /dev/vdf1
lvm lvcreate -q -y -Wn -Zn -n root -l 4 guest
lvm lvcreate -q -y -Wn -Zn -n home -l 3 guest
lvm lvextend -q -l 8 guest/root
busybox dd if=/trees/lvm-root.raw of=/dev/guest/root bs=1M conv=fsync
busybox dd if=/trees/lvm-home.raw of=/dev/guest/home bs=1M conv=fsync
lvm vgchange -q -an guest

# A file synchronised by itself goes into the journal only. Then the power goes off: no umount.
mount -t ext4 -o nodelalloc,commit=300 /dev/vdg /mnt
cp -a /trees/after/new /mnt/
rm '/mnt/some folder/which.txt'
cp -a /trees/after/etc/new-release /mnt/etc/
sync /mnt/etc/new-release
JOB
boot fill.sh file={xfs,btrfs-subvolumes,ntfs,hfsplus,udf,lvm,ext4-journal}.raw,format=raw

# What there is to find.
list_tree base/trees/full > trees/xfs.txt
list_tree base/trees/full > trees/udf.txt
list_tree base/trees/mac > trees/hfsplus.txt
mkdir -p subvolumes/system ntfs-tree/links
cp -a base/trees/full subvolumes/before
cp -a base/trees/btrfs subvolumes/home
cp -a -T base/trees/full subvolumes/system
(cd subvolumes && rm -r system/many && echo changed > system/etc/os-release)
list_tree subvolumes > trees/btrfs-subvolumes.txt
cp -a base/trees/windows/. ntfs-tree/
cp -a base/trees/compressed ntfs-tree/
echo twice > ntfs-tree/links/first-name
ln ntfs-tree/links/first-name ntfs-tree/links/second-name
ln -s '..\etc\os-release' ntfs-tree/links/relative
ln -s 'C:\etc' ntfs-tree/links/junction
list_tree ntfs-tree nomode > trees/ntfs.txt
list_tree lvm-root > trees/lvm-root.txt
list_tree lvm-home > trees/lvm-home.txt
list_tree base/trees/after > trees/ext4-journal.txt
list_tree before > trees/ext4-journal-unreplayed.txt
for name in xfs btrfs-subvolumes ntfs hfsplus udf lvm ext4-journal; do pack "$name.raw" "images/$name.qcow2"; done
for name in xfs ntfs; do pack_again "images/$name.qcow2"; done
mkdir -p "$out/trees"
cp --sparse=never -- images/* "$out/"
cp -- trees/*.txt "$out/trees/"

# Linux's view of them all.
rm -rf base/trees
truncate -s 32M results.raw
disks=(file=results.raw,format=raw)
cat > check.sh << 'JOB'
see() {
  if if [ "$3" = ntfs ]; then LC_ALL=C.UTF-8 ntfs-3g -o ro "$2" /mnt; else mount -t "$3" ${4:+-o "$4"} "$2" /mnt; fi; then
    list_tree /mnt ${5-} > "/results/$1.txt"
    umount /mnt
  fi
}
JOB
disk() {
  local n=${#disks[@]} letters file=$out/$1.qcow2
  if [ -e "$file.gz" ]; then
    gzip -dc "$file.gz" > "images/$1.qcow2"
    file=$work/images/$1.qcow2
  fi
  letters=$(printf "\\$(printf %o $((97 + n % 26)))")
  [ "$n" -lt 26 ] || letters=a$letters
  disks+=("file=$file,format=qcow2,snapshot=on")
  device=/dev/vd$letters
}
see() { disk "$1"; echo "see $1 $device $2 '${3-}' ${4-}" >> check.sh; }
part() { echo "see $1 $device${1##*-} $2 '${3-}' ${4-}" >> check.sh; }
for name in ext2 ext3 ext4 ext4-1k ext4-orphan-file ext4-inline-data; do see $name "${name:0:4}"; done
for name in fat12 fat16 fat32; do see $name vfat utf8 nomode; done
for name in xfs xfs-v4 xfs-v5 btrfs btrfs-subvolumes squashfs; do see $name "${name%%-*}"; done
see nested ext4
see hfsplus hfsplus nls=utf8
see udf udf iocharset=utf8
see udf-bridge udf iocharset=utf8 nomode
see iso iso9660 iocharset=utf8
echo "see iso-joliet $device iso9660 norock,iocharset=utf8 nomode" >> check.sh
see iso-plain iso9660 norock,nojoliet,map=off nomode
see ext4-journal ext4
disk ext4-journal
echo "see ext4-journal-unreplayed $device ext4 ro,noload" >> check.sh
disk mbr
part mbr-1 ext4
part mbr-2 vfat utf8 nomode
part mbr-5 ntfs '' nomode
part mbr-6 ext2
disk gpt
part gpt-1 vfat utf8 nomode
part gpt-2 ext4
part gpt-3 xfs
disk gpt-backup
part gpt-backup-1 ext2
part gpt-backup-2 vfat utf8 nomode
disk mbr-cut
part mbr-cut-1 ext2
see ntfs ntfs '' nomode
disk lvm
cat >> check.sh << 'JOB'
lvm vgchange -q -ay guest
for name in root home; do see lvm-$name /dev/guest/$name "$([ $name = root ] && echo ext4 || echo ext2)"; done
busybox tar -C /results -cf /dev/vda .
JOB
boot check.sh "${disks[@]}"
mkdir seen
tar -C seen -xf results.raw
failed=
for list in "$out"/trees/*.txt; do
  name=$(basename "$list")
  case $name in
    # Linux shows the names of HFS+ composed, and reparse points in its own way.
    hfsplus.txt) sed -i 's/Grü/Gru\xcc\x88/' seen/hfsplus.txt ;;
    ntfs.txt) sed -i -E '/ \/links\/(relative|junction)$/d' "seen/$name" ;;
    iso-plain.txt) sed -i 's/;1$//' "seen/$name" ;;
  esac
  diff <(case $name in ntfs.txt) grep -vE ' /links/(relative|junction)$' "$list" ;; *) cat "$list" ;; esac) \
    <(sed '/ \/lost+found$/d' "seen/$name") > "$name.diff" || { echo "$name:"; head -n 20 "$name.diff"; failed=1; }
done
[ -z "$failed" ]
