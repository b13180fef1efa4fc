#!/usr/bin/env bash
# Makes the guest disks in this folder that need no kernel; make-guests-kernel.sh makes the others. Run as root, as it
# makes a device node. Made with e2fsprogs 1.47.0, xfsprogs 6.1.0, btrfs-progs 6.2, ntfs-3g 2022.10.3,
# dosfstools 4.2, mtools 4.0.33, genisoimage 1.1.11, util-linux 2.38.1, exfatprogs 1.2.0, squashfs-tools 4.5.1,
# cryptsetup 2.6.1, faketime 0.9.10 and qemu-img 7.2; other versions may turn on other features of a file system.
#
# make-guests.sh [FOLDER]   writes to FOLDER rather than to its own. The images come out the same each time but for
# random identifiers that no option sets (btrfs, xfs, udf-bridge, luks1, luks2) and times of the last change of an
# inode, which no tool sets on a source file (iso).
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/tree.sh"
out=$(realpath -- "${1:-$here}")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir -p images trees

frozen() { faketime -f '2024-01-01 00:00:00' "$@"; }

# fat RAW SIZE FOLDER OPTION...
fat() {
  local raw=$1 size=$2 folder=$3
  shift 3
  truncate -s "$size" "$raw"
  mkfs.vfat --invariant -n GUEST "$@" "$raw" > /dev/null
  LC_ALL=C.UTF-8 frozen mcopy -s -m -i "$raw" "$folder"/* ::
}

# ntfs RAW SIZE FOLDER SECTOR   the folder's files only: ntfscp makes no folders. SECTOR: where the partition begins
ntfs() {
  local file
  truncate -s "$2" "$1"
  frozen mkntfs -q -F -Q -L GUEST -s 512 -p "$4" -H 255 -S 63 "$1" 2> /dev/null
  for file in "$3"/*; do LC_ALL=C.UTF-8 frozen ntfscp -q "$1" "$file" "${file##*/}"; done
  # Its serial number is random. Every boot sector has it, the first and the last of the volume.
  printf 'GUESTNTF' | dd of="$1" bs=1 seek=72 conv=notrunc status=none
  printf 'GUESTNTF' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 512 + 72)) conv=notrunc status=none
}

# xfs RAW FOLDER OPTION...   the least size mkfs takes; names with spaces are beyond its description of a tree
xfs() {
  local raw=$1 folder=$2
  shift 2
  truncate -s 300M "$raw"
  { printf '/dev/null\n0 0\n'; proto "$folder" 'd--755 0 0'; } > proto.txt
  frozen mkfs.xfs -q -p proto.txt "$@" "$raw"
}

proto() {
  local entry name=${3-} mode
  printf '%s %s\n' "$name" "$2"
  for entry in "$1"/* "$1"/.[!.]*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    mode=$(stat -c %a "$entry")
    case ${#mode}/$mode in
      4/4*) mode=u-${mode:1} ;;
      4/*) continue ;;
      *) mode=--$mode ;;
    esac
    case $(stat -c %F "$entry") in
      directory) proto "$entry" "d$mode 0 0" "${entry##*/}" ;;
      'symbolic link') printf '%s l--777 0 0 %s\n' "${entry##*/}" "$(readlink "$entry")" ;;
      fifo) printf '%s p%s 0 0\n' "${entry##*/}" "$mode" ;;
      character*) printf '%s c%s 0 0 1 3\n' "${entry##*/}" "$mode" ;;
      *) printf '%s -%s 0 0 %s\n' "${entry##*/}" "$mode" "$entry" ;;
    esac
  done
  echo '$'
}

# put DISK SECTOR RAW   a file system into a partition
put() { dd if="$3" of="$1" bs=512 seek="$2" conv=notrunc,sparse status=none; }

# guest NAME RAW FOLDER [nomode]
guest() {
  pack "$2" "images/$1.qcow2"
  list_tree "${@:3}" > "trees/$1.txt"
}

make_tree full links special names sparse many
make_tree posix links special names sparse

# ext2 as it was long ago (inodes of 128 bytes), ext3, ext4 with today's features, in blocks of 1, 2, 4 KiB.
make_ext ext2.raw 4M posix "$(uuid 1)" -t ext2 -b 1024 -I 128 -N 128
guest ext2 ext2.raw posix
make_ext ext3.raw 8M posix "$(uuid 2)" -t ext3 -b 2048 -N 128
guest ext3 ext3.raw posix
make_ext ext4.raw 16M full "$(uuid 3)" -t ext4 -b 4096 -N 512
guest ext4 ext4.raw full
make_ext ext4-1k.raw 8M full "$(uuid 4)" -t ext4 -b 1024 -N 512
guest ext4-1k ext4-1k.raw full
make_tiny_tree tiny-orphan ext4-orphan-file links
make_ext ext4-orphan-file.raw 8M tiny-orphan "$(uuid 5)" -t ext4 -b 4096 -O metadata_csum_seed,orphan_file -N 64
guest ext4-orphan-file ext4-orphan-file.raw tiny-orphan
make_tiny_tree tiny-inline ext4-inline-data links
make_ext ext4-inline-data.raw 8M tiny-inline "$(uuid 6)" -t ext4 -b 4096 -O inline_data -N 64
guest ext4-inline-data ext4-inline-data.raw tiny-inline

# xfs without checksums as before 2013, and with them but without the features that came later, as RHEL 7 made it.
for version in 4 5; do
  make_tiny_tree "tiny-xfs-v$version" "xfs-v$version" links
  mv "tiny-xfs-v$version/some folder" "tiny-xfs-v$version/some-folder"
done
xfs xfs-v4.raw tiny-xfs-v4 -m "crc=0,uuid=$(uuid 7)"
guest xfs-v4 xfs-v4.raw tiny-xfs-v4
xfs xfs-v5.raw tiny-xfs-v5 -m "reflink=0,bigtime=0,inobtcount=0,finobt=0,uuid=$(uuid 10)" -i sparse=0
guest xfs-v5 xfs-v5.raw tiny-xfs-v5

# btrfs, mixed block groups.
truncate -s 16M btrfs.raw
mkfs.btrfs -q -M -U "$(uuid 8)" -r posix btrfs.raw > /dev/null
guest btrfs btrfs.raw posix
# mkfs forgets the number of a device.
sed -i 's/^c 0644 1:3/c 0644 0:0/' trees/btrfs.txt

# FAT in its three widths, with long names.
no_backslash=1 make_tree dos names
fat fat12.raw 1440K dos -F 12 -i 0000000c
guest fat12 fat12.raw dos nomode
fat fat16.raw 16M dos -F 16 -i 00000010
guest fat16 fat16.raw dos nomode
no_backslash=1 make_tree dos-many names sparse many
fat fat32.raw 40M dos-many -F 32 -s 1 -i 00000020
guest fat32 fat32.raw dos-many nomode
# Sectors of 4 KiB, as the firmware's partition of a disk that has them.
make_tiny_tree tiny-4k fat32-4k
fat fat32-4k.raw 300M tiny-4k -F 32 -S 4096 -i 00000024
guest fat32-4k fat32-4k.raw tiny-4k nomode

# CD-ROMs: Rock Ridge and Joliet in one, ISO 9660 alone, and UDF as genisoimage writes it beside ISO 9660.
cd_rom() {
  local raw=$1 folder=$2
  shift 2
  frozen genisoimage -quiet -input-charset utf-8 -V GUEST "$@" -o "$raw" "$folder"
}
cd_rom iso.raw full -R -J
guest iso iso.raw full
# Joliet has no links and no devices but empty files in their place, names of up to 64 characters, and no backslash:
# a list of its own.
make_tree joliet special names sparse many
mkdir joliet/links
for link in full/links/*; do : > "joliet/links/${link##*/}"; done
rm joliet/special/fifo joliet/special/null
: > joliet/special/fifo
: > joliet/special/null
mv joliet/names/a-long-name-* "joliet/names/$(basename joliet/names/a-long-name-* | cut -c 1-64)"
mv joliet/names/dev-disk* joliet/names/dev-disk-by_x2dlabel.swap
list_tree joliet nomode > trees/iso-joliet.txt
mkdir -p plain/ETC plain/DEEP/TWO/THREE
cp posix/etc/os-release plain/ETC/RELEASE.TXT
cp posix/sizes/large.txt plain/LARGE.TXT
cp posix/sizes/empty plain/DEEP/TWO/THREE/EMPTY.DAT
still plain
cd_rom iso-plain.raw plain -sysid LINUX
guest iso-plain iso-plain.raw plain nomode
make_tree udf-tree
cd_rom udf-bridge.raw udf-tree -udf
guest udf-bridge udf-bridge.raw udf-tree nomode

# Only to be told what they are.
truncate -s 4M exfat.raw
frozen mkfs.exfat -L GUEST exfat.raw > /dev/null
pack exfat.raw images/exfat.qcow2
truncate -s 1M swap.raw
mkswap -q -L GUEST -U "$(uuid 9)" swap.raw
pack swap.raw images/swap.qcow2
make_tiny_tree tiny-squashfs squashfs links
mksquashfs tiny-squashfs squashfs.raw -quiet -no-progress -all-root -noappend > /dev/null
truncate -s %4096 squashfs.raw
guest squashfs squashfs.raw tiny-squashfs
# The keys of the LUKS disks are cut off, as they are random and nothing opens the disks.
printf 'open sesame' > key
truncate -s 3M luks1.raw
truncate -s 20M luks2.raw
for version in 1 2; do
  cryptsetup luksFormat -q --type "luks$version" --uuid "$(uuid 1$version)" --pbkdf pbkdf2 \
    --pbkdf-force-iterations 1000 "luks$version.raw" key
  size=$(stat -c %s "luks$version.raw")
  truncate -s $((version == 1 ? 4096 : 32768)) "luks$version.raw"
  truncate -s "$size" "luks$version.raw"
  pack "luks$version.raw" "images/luks$version.qcow2"
done

# An MBR: ext4, FAT16, and in an extended partition NTFS and ext2.
make_tiny_tree mbr1 mbr-1 links
make_ext mbr1.raw 8M mbr1 "$(uuid 21)" -t ext4 -b 4096 -N 64
make_tiny_tree mbr2 mbr-2
fat mbr2.raw 16M mbr2 -F 16 -i 00000022
mkdir mbr5
cp mbr2/etc/os-release mbr5/os-release
cp posix/names/Grüße.txt mbr5/
cp posix/sizes/large.txt 'mbr5/lines in a file.txt'
still mbr5
ntfs mbr5.raw 4M mbr5 53248
make_tiny_tree mbr6 mbr-6 links
make_ext mbr6.raw 1M mbr6 "$(uuid 26)" -t ext2 -b 1024 -N 64
truncate -s 40M mbr.raw
sfdisk -q mbr.raw << 'PARTITIONS'
label: dos
label-id: 0x0b5c0d2e
1: start=2048, size=16384, type=83, bootable
2: start=18432, size=32768, type=e
3: start=51200, size=30720, type=5
5: start=53248, size=8192, type=7
6: start=63488, size=2048, type=83
PARTITIONS
put mbr.raw 2048 mbr1.raw
put mbr.raw 18432 mbr2.raw
put mbr.raw 53248 mbr5.raw
put mbr.raw 63488 mbr6.raw
pack mbr.raw images/mbr.qcow2
pack_again images/mbr.qcow2
for n in 1 6; do list_tree "mbr$n" > "trees/mbr-$n.txt"; done
for n in 2 5; do list_tree "mbr$n" nomode > "trees/mbr-$n.txt"; done

# A GPT as of an installer: FAT32 for the firmware, ext4, xfs, swap.
make_tiny_tree gpt1 gpt-1
fat gpt1.raw 34M gpt1 -F 32 -s 1 -i 00000031
make_tiny_tree gpt2 gpt-2 links
make_ext gpt2.raw 8M gpt2 "$(uuid 32)" -t ext4 -b 4096 -N 64
make_tiny_tree gpt3 gpt-3 links
mv 'gpt3/some folder' gpt3/some-folder
xfs gpt3.raw gpt3 -m "uuid=$(uuid 33)"
truncate -s 350M gpt.raw
sfdisk -q gpt.raw << PARTITIONS
label: gpt
label-id: $(uuid 30)
1: start=2048, size=69632, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=$(uuid 31), name="EFI System"
2: start=71680, size=16384, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=$(uuid 32), name="root"
3: start=88064, size=614400, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=$(uuid 33), name="data, Grüße"
4: start=702464, size=2048, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, uuid=$(uuid 34), name="swap"
PARTITIONS
put gpt.raw 2048 gpt1.raw
put gpt.raw 71680 gpt2.raw
put gpt.raw 88064 gpt3.raw
put gpt.raw 702464 swap.raw
pack gpt.raw images/gpt.qcow2
list_tree gpt1 nomode > trees/gpt-1.txt
for n in 2 3; do list_tree "gpt$n" > "trees/gpt-$n.txt"; done

# Images inside a guest: a chain of four, in a folder of an ext4.
mkdir -p nested/images
cp -- "$here"/../Images/chain-[0-3].* nested/images/
still nested
make_ext nested.raw 2M nested "$(uuid 66)" -t ext4 -b 1024 -N 64
pack nested.raw images/nested.qcow2
list_tree nested > trees/nested.txt

# The first GPT header gone, the one at the end of the disk left.
make_tiny_tree backup1 gpt-backup-1 links
make_ext backup1.raw 1M backup1 "$(uuid 41)" -t ext2 -b 1024 -N 64
make_tiny_tree backup2 gpt-backup-2
fat backup2.raw 1M backup2 -F 12 -i 00000042
truncate -s 4M gpt-backup.raw
sfdisk -q gpt-backup.raw << PARTITIONS
label: gpt
label-id: $(uuid 40)
1: start=2048, size=2048, type=L, uuid=$(uuid 41)
2: start=4096, size=2048, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=$(uuid 42)
PARTITIONS
put gpt-backup.raw 2048 backup1.raw
put gpt-backup.raw 4096 backup2.raw
dd if=/dev/zero of=gpt-backup.raw bs=512 seek=1 count=1 conv=notrunc status=none
pack gpt-backup.raw images/gpt-backup.qcow2
list_tree backup1 > trees/gpt-backup-1.txt
list_tree backup2 nomode > trees/gpt-backup-2.txt

# An MBR whose second partition begins past the end of the disk, and whose third one ends there.
make_tiny_tree cut1 mbr-cut-1 links
make_ext cut1.raw 1M cut1 "$(uuid 51)" -t ext2 -b 1024 -N 64
truncate -s 8M mbr-cut.raw
sfdisk -q mbr-cut.raw << 'PARTITIONS'
label: dos
label-id: 0x0b5c0d2f
1: start=2048, size=2048, type=83
2: start=12288, size=2048, type=83
3: start=4096, size=8192, type=83
PARTITIONS
put mbr-cut.raw 2048 cut1.raw
truncate -s 4M mbr-cut.raw
pack mbr-cut.raw images/mbr-cut.qcow2
list_tree cut1 > trees/mbr-cut-1.txt

mkdir -p "$out/trees"
cp --sparse=never -- images/* "$out/"
cp -- trees/*.txt "$out/trees/"
