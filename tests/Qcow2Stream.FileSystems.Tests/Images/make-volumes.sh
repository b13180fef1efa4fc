#!/usr/bin/env bash
# Makes the guest disks in this folder whose volumes are put together by Linux: LVM2, md RAID, LUKS. It boots Debian's
# kernel in QEMU, which makes the volumes and writes to them. Then two more boots, each with the packed images as they
# were, read every volume: what they read has to be what the first one read.
# Run as root. Made with Linux 6.1.192 (Debian 12), qemu-system-x86 7.2, busybox-static 1.35, kmod, cpio, lvm2 2.03.16,
# thin-provisioning-tools 0.9.0, mdadm 4.2, cryptsetup 2.6.1 (cryptsetup-bin), fdisk 2.38.1, dosfstools 4.2, e2fsprogs
# 1.47.0, xfsprogs 6.1.0, btrfs-progs 6.2. These images come out a little different each time.
#
# make-volumes.sh [FOLDER [IMAGE...]]   writes to FOLDER rather than to its own; only these images rather than all.
# GUEST_KERNEL=FOLDER: an unpacked linux-image package, else apt fetches one.
#
# volumes/NAME.txt lists the volumes of NAME.qcow2, sorted in byte order, one line each:
#
#   VOLUME LENGTH SHA256
#
# VOLUME  VG/LV; md/NAME of an array, or md/NUMBER where it has no name; luks-UUID
# LENGTH  in bytes
# SHA256  of all its bytes, as the kernel reads them from the block device
#
# What the kernel doesn't give is not listed: volumes inside others, pools, snapshots that are full, arrays that have
# lost too many members. The comment over each section says what its disk has besides.
#
# volumes/NAME/VG-LV.txt lists the files of a volume, in the form that tree.sh tells.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/tree.sh"
. "$here/boot.sh"
out=$(realpath -- "${1:-$here}")
asked=("${@:2}")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir -p images made base "$out/volumes"

get_kernel
make_base dm_mod dm_mirror dm_snapshot dm_thin_pool dm_raid dm_cache dm_cache_smq dm_writecache dm_integrity dm_crypt \
  linear raid0 raid1 raid10 raid456 xts essiv algif_skcipher algif_hash sha512_generic crc32c_generic ext4 vfat xfs \
  btrfs nls_utf8 nls_ascii nls_cp437
program cp mv ln mdadm cryptsetup thin_check thin_repair thin_dump cache_check cache_dump mkfs.xfs mkfs.ext4 mkfs.btrfs mkfs.vfat \
  mkswap btrfs fstrim
install -D /lib/x86_64-linux-gnu/libgcc_s.so.1 base/lib/x86_64-linux-gnu/libgcc_s.so.1
mkdir base/run/cryptsetup
ln -s ../bin base/usr/sbin

# What the scripts in the guest have.
cat > base/volumes.sh << 'GUEST'
export DM_DISABLE_UDEV=1 MDADM_NO_UDEV=1
results=/dev/vda

# on NAME DISK   what follows is about this disk alone
on() {
  name=$1 disk=$2 list=/results/$1/list
  mkdir -p "/results/$1"
  : > "$list"
  cat > /etc/lvm/lvm.conf << LVM
devices { use_devicesfile = 0 filter = [ "a|^$2|", "a|^/dev/md|", "a|^/dev/mapper|", "r|.*|" ] }
global { use_lvmpolld = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
LVM
  printf 'DEVICE %s*\nHOMEHOST <ignore>\n' "$2" > /etc/mdadm.conf
}

# fill DEVICE NAME [FIRST [COUNT]]   sectors that each say which they are; some stretches of 8 KiB are not written.
fill() {
  python3 - "$@" << 'PYTHON'
import os, sys, zlib
device, name = sys.argv[1:3]
with open(device, 'r+b', buffering=0) as file:
    sectors = file.seek(0, 2) // 512
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    count = int(sys.argv[4]) if len(sys.argv) > 4 else sectors - first
    for start in range(first, min(first + count, sectors), 16):
        if zlib.crc32(f'{name} {start}'.encode()) % 4 == 0 and 0 < start < sectors - 16:
            continue
        end = min(start + 16, first + count, sectors)
        data = b''.join(f'volume {name} sector {n}\n'.encode().ljust(512, b'\0') for n in range(start, end))
        file.seek(start * 512)
        file.write(data)
    os.fsync(file.fileno())
PYTHON
}

# volume NAME DEVICE   a line in the list of what the kernel reads; nothing where it can't
volume() {
  local size sum
  size=$(busybox blockdev --getsize64 "$2")
  [ "$size" != 0 ] || return 0
  busybox blockdev --flushbufs "$2"
  if sum=$(set -o pipefail; sha256sum "$2" 2> /dev/null | cut -d ' ' -f 1); then echo "$1 $size $sum" >> "$list"; fi
}

# volumes_of_lvm   all that have a device
volumes_of_lvm() {
  local vg lv
  lvm lvs --noheadings -o vg_name,lv_name > /tmp/lvs
  while read -r vg lv; do
    if [ -b "/dev/$vg/$lv" ]; then volume "$vg/$lv" "/dev/$vg/$lv"; fi
  done < /tmp/lvs
}

# put TREE DEVICE TYPE [OPTIONS]   copies a tree into a file system
put() {
  mount -t "$3" ${4:+-o "$4"} "$2" /mnt
  cp -a --sparse=always "/trees/$1/." /mnt/ 2> /dev/null || cp -r --preserve=timestamps "/trees/$1/." /mnt/
  fstrim /mnt 2> /dev/null || true
  umount /mnt
}

# files NAME DEVICE TYPE [OPTIONS [nomode]]   what the kernel finds in a file system, without writing to it (XFS does so
# even if it is mounted read-only)
files() {
  busybox blockdev --setro "$2"
  mount -t "$3" -o "ro${4:+,$4}" "$2" /mnt
  list_tree /mnt ${5-} | sed '/ \/lost+found$/d' > "/results/$name/$1.files"
  umount /mnt
  busybox blockdev --setrw "$2"
}

# unlock DEVICE   sets unlocked to the device of what is in it
unlock() {
  unlocked=luks-$(cryptsetup luksUUID "$1")
  printf 'guest secret' | cryptsetup open --key-file - "$1" "$unlocked"
  unlocked=/dev/mapper/$unlocked
}

# discard DEVICE SECTOR COUNT
discard() {
  python3 -c 'import fcntl, struct, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.ioctl(file, 0x1277, struct.pack("QQ", *(int(number) * 512 for number in sys.argv[2:])))' "$@"
}

# arrays   each array that runs: its device and its name, or its number
arrays() {
  local array name
  for array in /sys/block/md*; do
    [ "$(cat "$array/md/array_state" 2> /dev/null || echo clear)" != clear ] || continue
    array=/dev/${array##*/}
    name=$(mdadm --detail --export "$array" | sed -n 's/^MD_NAME=\(.*:\)*/md\//p')
    echo "$array ${name:-md/${array#/dev/md}}"
  done
}

volumes_of_md() {
  local array name
  arrays > /tmp/arrays
  while read -r array name; do volume "$name" "$array"; done < /tmp/arrays
}

# in_sync   waits until all arrays are
in_sync() {
  local i
  for ((i = 0; i < 300; i++)); do
    grep -qE 'resync|recovery|check' /proc/mdstat || return 0
    sleep 0.2
  done
  cat /proc/mdstat
  return 1
}

# synced VG   waits until all mirrors of the group are in sync
synced() {
  local i
  for ((i = 0; i < 300; i++)); do
    lvm lvs -a --noheadings -o copy_percent "$1" | awk '$1 != "" && $1 + 0 < 100 { n++ } END { exit n > 0 }' && return
    sleep 0.2
  done
  lvm lvs -a "$1"
  return 1
}

# done_with_results   hands /results to the other side
done_with_results() {
  sync
  echo 3 > /proc/sys/vm/drop_caches
  busybox tar -C /results -cf "$results" .
}
GUEST

# guest_run JOB RESULTS DRIVE...   boots with the drives as /dev/vdb and so on, and brings the results
guest_run() {
  local job=$1 results=$2
  shift 2
  rm -f results.raw
  truncate -s 8M results.raw
  { echo '. /volumes.sh'; cat "$job"; echo done_with_results; } > whole-job.sh
  boot whole-job.sh file=results.raw,format=raw "$@"
  mkdir -p "$results"
  tar -C "$results" -xf results.raw
}

# make NAME JOB [READ]   runs the jobs on the disk NAME.raw, the second of which lists its volumes, and packs it
make() {
  { echo "on $1 /dev/vdb"; cat "${@:2}"; } > make.sh
  guest_run make.sh made "file=$1.raw,format=raw"
  pack "$1.raw" "images/$1.qcow2"
  truth made "$1"
  rm -rf base/trees/*
}

# truth FOLDER NAME   what is in FOLDER/NAME becomes what there is to find
truth() {
  local file
  if [ -s "$1/$2/list" ]; then sort "$1/$2/list" > "$out/volumes/$2.txt"; fi
  rm -rf "$out/volumes/$2"
  for file in "$1/$2"/*.files; do
    [ -e "$file" ] || continue
    mkdir -p "$out/volumes/$2"
    cp "$file" "$out/volumes/$2/$(basename "$file" .files).txt"
  done
}

# later NAME JOB   this image is to be read again at the end
checks=()
later() {
  checks+=("$1")
  cp "$2" "check-$1.sh"
}

# check   reads the volumes of all the images twice, and compares; an image that has no list yet gets one
check() {
  local n name letter file disks=()
  [ ${#checks[@]} != 0 ] || return 0
  : > check.sh
  for name in "${checks[@]}"; do
    letter=$(printf "\\$(printf %o $((98 + ${#disks[@]})))")
    disks+=("file=images/$name.qcow2,format=qcow2,snapshot=on")
    { echo "on $name /dev/vd$letter"; cat "check-$name.sh"; } >> check.sh
  done
  for n in 1 2; do
    guest_run check.sh "seen$n" "${disks[@]}"
    for name in "${checks[@]}"; do
      [ -e "made/$name" ] || [ $n != 1 ] || truth seen1 "$name"
      if [ -s "seen$n/$name/list" ]; then sort "seen$n/$name/list" | diff "$out/volumes/$name.txt" -; fi
      for file in "seen$n/$name"/*.files; do
        [ ! -e "$file" ] || diff "$out/volumes/$name/$(basename "$file" .files).txt" "$file"
      done
    done
  done
  # Sectors that differ in a number only compress well cluster by cluster, and better again.
  for name in "${checks[@]}"; do gzip -9 -n -c "images/$name.qcow2" > "$out/$name.qcow2.gz"; done
}

# wanted NAME
wanted() { [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " = *" $1 "* ]]; }

# disk RAW UUID SIZE[:TYPE]...   a disk with a GPT and partitions of so many MiB, one after the other
disk() {
  local raw=$1 id=$2 total=2 n=0 part type
  shift 2
  printf 'label: gpt\nlabel-id: %s\n' "$(uuid "$id")" > parts.txt
  for part in "$@"; do
    n=$((n + 1)) total=$((total + ${part%:*}))
    type=${part#*:}
    [ "$type" != "$part" ] || type=lvm
    echo "size=${part%:*}M, type=$type, uuid=$(uuid $((id * 100 + n)))" >> parts.txt
  done
  truncate -s "${total}M" "$raw"
  sfdisk -q "$raw" < parts.txt
}

# wipe RAW PARTITION
wipe() {
  local start size
  read -r start size < <(sfdisk -d "$1" | sed -n "s/^[^ ]*raw$2 : start= *\([0-9]*\), size= *\([0-9]*\),.*/\1 \2/p")
  fallocate -p -o $((start * 512)) -l $((size * 512)) "$1"
}

cat > read-lvm.sh << 'JOB'
lvm vgchange -q -ay -K
volumes_of_lvm
lvm vgchange -q -an
JOB

# lvm-linear: a group "linear" of three partitions, extents of 64 KiB; the first one's metadata area is a ring of 32 KiB
# that was written around several times, the second one has two areas (its end has one too), the third one has none.
# Volumes: odd (segments on all three in odd order), resized (extended, then shrunk), freed (made where another one was
# removed), moved (by pvmove), name-with_all.of+them, readonly, skipped (isn't activated by itself), tagged. A second
# group "big-extents_4.x+" has extents of 4 MiB, default alignment, and another partition where data begins at an
# odd place. The last partition is a physical volume without a group.
if wanted lvm-linear; then
  disk lvm-linear.raw 200 8 8 8 17 9 2
  cat > job.sh << 'JOB'
d=$disk
lvm pvcreate -q -y --dataalignment 36k --metadatasize 32k ${d}1
lvm pvcreate -q -y --dataalignment 64k --pvmetadatacopies 2 --metadatasize 60k ${d}2
lvm pvcreate -q -y --pvmetadatacopies 0 ${d}3
lvm pvcreate -q -y ${d}4
lvm pvcreate -q -y --dataalignment 192k --dataalignmentoffset 7k ${d}5
lvm pvcreate -q -y ${d}6
lvm vgcreate -q -s 64k --addtag on-the-group linear ${d}1 ${d}2 ${d}3
lvm vgcreate -q -s 4m big-extents_4.x+ ${d}4 ${d}5
create() { lvm lvcreate -q -y -Wn -Zn "$@"; }
create -n odd -l 8 linear ${d}3:20-27
lvm lvextend -q -l +5 linear/odd ${d}1:50-54
lvm lvextend -q -l +3 linear/odd ${d}2:10-12
lvm lvextend -q -l +4 linear/odd ${d}1:3-6
lvm lvextend -q -l +1 linear/odd ${d}3:19-19
fill /dev/linear/odd odd
create -n resized -l 10 linear ${d}2:40-49
fill /dev/linear/resized before
lvm lvextend -q -l 20 linear/resized ${d}3:60-80
fill /dev/linear/resized resized 1000
lvm lvreduce -q -f -y -l 13 linear/resized
create -n removed -l 6 linear ${d}1:0-2 ${d}1:7-9
fill /dev/linear/removed removed
lvm lvremove -q -f linear/removed
create -n freed -l 9 linear ${d}1:0-2 ${d}1:7-12
fill /dev/linear/freed freed
create -n moved -l 7 linear ${d}3:100-106
fill /dev/linear/moved moved
lvm pvmove -q -i 1 -n moved ${d}3 ${d}1:60-62 ${d}1:70-80
create -n name-with_all.of+them -l 3 --addtag tag-1 --addtag 'tag/2=x' linear ${d}2
fill /dev/linear/name-with_all.of+them named
create -n readonly -l 2 linear ${d}1
fill /dev/linear/readonly readonly
lvm lvchange -q -pr linear/readonly
create -n skipped -l 2 --setactivationskip y linear ${d}2
lvm lvchange -q -ay -K linear/skipped
fill /dev/linear/skipped skipped
create -n tagged -l 1 --addtag one linear ${d}1
create -n two-extents -l 2 big-extents_4.x+ ${d}4
fill /dev/big-extents_4.x+/two-extents two-extents 0 600
fill /dev/big-extents_4.x+/two-extents two-extents 8000 500
create -n 1st_.-+ -l 2 big-extents_4.x+ ${d}5 ${d}4:3-3
fill /dev/big-extents_4.x+/1st_.-+ 1st 7800 800
fill /dev/big-extents_4.x+/1st_.-+ 1st 16000
for i in {1..20}; do
  lvm lvrename -q linear tagged "tagged-$i"
  lvm lvchange -q --addtag "version-$i" "linear/tagged-$i"
  lvm lvrename -q linear "tagged-$i" tagged
  lvm lvchange -q --deltag "version-$i" linear/tagged
done
fill /dev/linear/tagged tagged
sync
lvm vgchange -q -an
lvm pvs -a -o +mda_count,pe_start,mda_size > "$list.pvs"
lvm lvs -a -o +devices,seg_size --segments > "$list.lvs"
JOB
  make lvm-linear job.sh read-lvm.sh
  later lvm-linear read-lvm.sh
fi

# lvm-striped-raid: one group "raid" with extents of 64 KiB, on six partitions (the first and the fourth have metadata),
# everything in sync. striped2-4k, striped3-64k; mixed (linear, then two stripes of 16 KiB, then linear); mirror (type
# mirror, its log in memory), mirror-log (its log on a disk); raid0 (three, 8 KiB), raid0-meta (two, 64 KiB); raid1-2
# (extended, so that its legs have two segments), raid1-3; raid4; raid5-ls, -la, -ra, -rs, -n; raid6-zr, -nr, -nc and the
# kinds with Q on the last disk: raid6-ls-6, -la-6, -ra-6, -rs-6, -n-6; raid10-2 (4 KiB, four disks), raid10-3 (64 KiB,
# six). elsewhere: linear, not on the third partition.
# lvm-missing: the same disk with zeros in its third partition. Listed is what can be read whole.
if wanted lvm-striped-raid; then
  disk lvm-striped-raid.raw 201 9 9 9 9 9 9
  cat > job.sh << 'JOB'
d=$disk
lvm pvcreate -q -y --dataalignment 64k --metadatasize 252k ${d}1 ${d}4
lvm pvcreate -q -y --dataalignment 64k --pvmetadatacopies 0 ${d}2 ${d}3 ${d}5 ${d}6
lvm vgcreate -q -s 64k raid ${d}{1..6}
# create NAME EXTENTS PARTITIONS OPTION...
create() {
  local name=$1 extents=$2 parts=() n
  for n in $3; do parts+=("$d$n"); done
  lvm lvcreate -q -y -Wn -Zn -n "$name" -l "$extents" "${@:4}" raid "${parts[@]}"
  fill "/dev/raid/$name" "$name"
}
create striped2-4k 8 '2 1' -i 2 -I 4k
create striped3-64k 9 '3 1 2' -i 3 -I 64k
create mixed 3 4
lvm lvextend -q -l +4 -i 2 -I 16k raid/mixed ${d}3 ${d}5
lvm lvextend -q -l +2 -i 1 raid/mixed ${d}1
fill /dev/raid/mixed mixed
create mirror 4 '2 4' --type mirror -m 1 --mirrorlog core
create mirror-log 4 '3 5 6' --type mirror -m 1 --mirrorlog disk
create raid0 9 '1 3 5' --type raid0 -i 3 -I 8k
create raid0-meta 8 '3 6' --type raid0_meta -i 2 -I 64k
create raid1-2 5 '1 3' --type raid1 -m 1
create elsewhere 2 '1'
create raid1-3 4 '3 4 5' --type raid1 -m 2
create raid4 8 '1 2 3' --type raid4 -i 2 -I 4k
create raid5-ls 9 '1 2 3 4' --type raid5_ls -i 3 -I 4k
create raid5-la 9 '2 3 4 5' --type raid5_la -i 3 -I 16k
create raid5-ra 9 '3 4 5 6' --type raid5_ra -i 3 -I 4k
create raid5-rs 9 '6 1 3 2' --type raid5_rs -i 3 -I 64k
create raid5-n 9 '5 3 1 2' --type raid5_n -i 3 -I 4k
create raid6-zr 9 '1 2 3 4 5' --type raid6_zr -i 3 -I 4k
create raid6-nr 9 '2 3 4 5 6' --type raid6_nr -i 3 -I 8k
create raid6-nc 9 '6 5 4 3 2' --type raid6_nc -i 3 -I 64k
create raid6-ls-6 9 '1 2 3 4 5' --type raid6_ls_6 -i 3 -I 4k
create raid6-la-6 9 '6 2 3 4 5' --type raid6_la_6 -i 3 -I 4k
create raid6-ra-6 9 '1 6 3 4 5' --type raid6_ra_6 -i 3 -I 4k
create raid6-rs-6 9 '1 2 3 6 5' --type raid6_rs_6 -i 3 -I 4k
create raid6-n-6 9 '1 2 3 4 6' --type raid6_n_6 -i 3 -I 4k
create raid10-2 8 '1 2 3 4' --type raid10 -i 2 -m 1 -I 4k
create raid10-3 9 '1 2 3 4 5 6' --type raid10 -i 3 -m 1 -I 64k
lvm lvextend -q -l +3 raid/raid1-2
fill /dev/raid/raid1-2 raid1-2
synced raid
sync
lvm vgchange -q -an
lvm lvs -a -o +devices,seg_size,segtype --segments > "$list.lvs"
JOB
  make lvm-striped-raid job.sh read-lvm.sh
  later lvm-striped-raid read-lvm.sh
fi
if wanted lvm-striped-raid; then
  cat > read-missing.sh << 'JOB'
lvm vgchange -q -ay -K --activationmode partial
volumes_of_lvm
lvm vgchange -q -an
JOB
  cp lvm-striped-raid.raw lvm-missing.raw
  wipe lvm-missing.raw 3
  pack lvm-missing.raw images/lvm-missing.qcow2
  later lvm-missing read-missing.sh
fi

# lvm-thin: group "thin" with extents of 64 KiB, on two partitions. Pool pool64 (chunks of 64 KiB) has origin (written in
# part, in part discarded after its snapshots), snap (its snapshot, changed since, as is origin), snap-of-snap, deep (one
# sector in each of 300 chunks: its mappings are a tree of two levels), empty, grown (extended after it was written),
# external (a thin snapshot of base, a read-only linear volume, and longer than it), and had one more that was removed.
# Pool pool192 (chunks of 192 KiB, not zeroed when they are given out) has odd and odd-snap.
# Group "cow": snapshots that keep what was changed: base has cow-4k and cow-16k (taken later), both origin and snapshots
# were changed; base2 has cow-full, which overflowed and so has nothing to read.
# Group "other" is for what no one has to read here, though Linux does: cached (dm-cache, writethrough), slow
# (dm-writecache).
if wanted lvm-thin; then
  disk lvm-thin.raw 202 24 12 12 12 12
  cat > job.sh << 'JOB'
d=$disk
lvm pvcreate -q -y --dataalignment 64k --metadatasize 124k ${d}{1,3,4}
lvm pvcreate -q -y --dataalignment 64k --pvmetadatacopies 0 ${d}{2,5}
create() { lvm lvcreate -q -y "$@"; }

lvm vgcreate -q -s 64k thin ${d}1 ${d}2
create --type thin-pool -n pool64 -L 25m -c 64k -Zy --poolmetadatasize 2m --poolmetadataspare n thin
create --type thin-pool -n pool192 -L 3m -c 192k -Zn --poolmetadatasize 2m --poolmetadataspare n thin
create -V 8m -n origin --thinpool pool64 thin
fill /dev/thin/origin origin 0 1000
fill /dev/thin/origin origin 9000 500
create -V 1m -n gone --thinpool pool64 thin
fill /dev/thin/gone gone
create -V 1m -n grown --thinpool pool64 thin
fill /dev/thin/grown grown 1500
create -s -kn -n snap thin/origin
lvm lvremove -q -f thin/gone
fill /dev/thin/origin changed 100 200
fill /dev/thin/origin changed 4000 300
fill /dev/thin/snap snap 300 300
fill /dev/thin/snap snap 15800
create -s -kn -n snap-of-snap thin/snap
fill /dev/thin/snap-of-snap again 500 50
fill /dev/thin/snap later 9300 50
discard /dev/thin/origin 512 256
create -V 24m -n deep --thinpool pool64 thin
python3 - << 'PYTHON'
import os
with open('/dev/thin/deep', 'r+b', buffering=0) as file:
    for i in range(300):
        sector = i * 151 % 300 * 128 + i % 128
        file.seek(sector * 512)
        file.write(f'volume deep sector {sector}\n'.encode().ljust(512, b'\0'))
    os.fsync(file.fileno())
PYTHON
create -V 4m -n empty --thinpool pool64 thin
lvm lvextend -q -L 2m thin/grown
fill /dev/thin/grown extended 3000 200
create -Wn -Zn -n base -l 9 thin
fill /dev/thin/base base
lvm lvchange -q -an thin/base
lvm lvchange -q -pr thin/base
create -s -kn -n external --thinpool pool64 thin/base
fill /dev/thin/external external 200 100
lvm lvextend -q -l 14 thin/external
fill /dev/thin/external extended 1700 50
create -V 3m -n odd --thinpool pool192 thin
fill /dev/thin/odd odd 300 900
create -s -kn -n odd-snap thin/odd
fill /dev/thin/odd changed 380 10
fill /dev/thin/odd-snap odd-snap 5000

lvm vgcreate -q -s 64k cow ${d}3
create -Wn -Zn -n base -l 16 cow
fill /dev/cow/base base
create -s -n cow-4k -c 4k -l 12 cow/base
fill /dev/cow/base changed 100 100
create -s -n cow-16k -c 16k -l 12 cow/base
fill /dev/cow/base later 500 150
fill /dev/cow/cow-4k cow-4k 150 80
fill /dev/cow/cow-4k cow-4k 1990
fill /dev/cow/cow-16k cow-16k 90 200
create -Wn -Zn -n base2 -l 8 cow
fill /dev/cow/base2 base2
create -s -n cow-full -c 4k -l 1 cow/base2
fill /dev/cow/base2 changed

lvm vgcreate -q -s 64k other ${d}4 ${d}5
create -Wn -Zn -n cached -l 16 other ${d}4
fill /dev/other/cached cached
create --type cache-pool -n fast -L 2m -c 32k --poolmetadatasize 2m --poolmetadataspare n --cachemode writethrough other ${d}5
lvm lvconvert -q -y --type cache --cachepool fast other/cached
fill /dev/other/cached again 200 100
create -Wn -Zn -n slow -l 16 other ${d}4
fill /dev/other/slow slow
create -Wn -Zn -n log -L 2m other ${d}5
lvm lvchange -q -an other/slow other/log
lvm lvconvert -q -y --type writecache --cachevol log other/slow
lvm lvchange -q -ay other/slow
fill /dev/other/slow again 200 100
sync
lvm lvs -a -o +devices,seg_size,segtype,chunk_size --segments > "$list.lvs"
lvm vgchange -q -an
JOB
  make lvm-thin job.sh read-lvm.sh
  later lvm-thin read-lvm.sh
fi

# The arrays: metadata of version 0.90 has no names. There a number is the level, and a digit to tell apart; the table
# below each disk's comment is what is in it. Members are partitions of 1 MiB (2 from version 1 on,
# where data begins after 1 MiB), with 256 KiB used where the level permits.
cat > read-md.sh << 'JOB'
mdadm -q --assemble --scan --run
arrays
volumes_of_md
mdadm -q --stop --scan
JOB
arrays_of() {
  cat > job.sh << 'JOB'
echo 2 > /sys/module/raid0/parameters/default_layout
next=1 minor=100
# create NAME MEMBERS OPTION...   of the next partitions
create() {
  local name=$1 members=() n array
  for ((n = 0; n < $2; n++)); do members+=("$disk$((next + n))"); done
  next=$((next + $2)) minor=$((minor + 1))
  array=/dev/md$minor
  case $name in [0-9]*) array=/dev/md$name ;; *) set -- "$@" --name "$name" ;; esac
  mdadm -q --create "$array" --run --force --homehost=any --raid-devices "${#members[@]}" "${@:3}" "${members[@]}"
  fill "$array" "md-$name"
  last=$array
}
JOB
  cat >> job.sh
  cat >> job.sh << 'JOB'
in_sync
sync
arrays > "$list.mdstat"
cat /proc/mdstat >> "$list.mdstat"
volumes_of_md
mdadm -q --stop --scan
mdadm --examine "$disk"* > "$list.examine" 2>&1 || true
JOB
}

# md-090: 10 linear of two; 1 mirror; 40 level 4; 50, 51, 52, 53 level 5 (left-symmetric, left-asymmetric,
# right-symmetric, right-asymmetric); 60 level 6; 100 level 10, near 2. Level 0 mdadm no longer makes in this version.
if wanted md-090; then
  disk md-090.raw 210 {1,1}:raid {1,1}:raid {1,1,1}:raid {1,1,1,1}:raid {1,1,1,1}:raid \
    {1,1,1,1}:raid {1,1,1,1}:raid {1,1,1,1,1}:raid {1,1,1,1}:raid
  arrays_of << 'JOB'
o='-e 0.90'
create 10 2 $o --level linear
create 1 2 $o --bitmap none --level 1 --size 256
create 40 3 $o --bitmap none --level 4 --chunk 4 --size 256
create 50 4 $o --bitmap none --level 5 --chunk 4 --size 256
create 51 4 $o --bitmap none --level 5 --chunk 64 --size 256 --layout left-asymmetric
create 52 4 $o --bitmap none --level 5 --chunk 4 --size 256 --layout right-symmetric
create 53 4 $o --bitmap none --level 5 --chunk 4 --size 256 --layout right-asymmetric
create 60 5 $o --bitmap none --level 6 --chunk 4 --size 256
create 100 4 $o --bitmap none --level 10 --chunk 4 --size 256 --layout n2
JOB
  make md-090 job.sh
  later md-090 read-md.sh
fi

# md-1x: the names say the level, the layout and last the metadata's version: 0 is 1.0 and so on. zones: striped over
# members of 2, 3 and 4 MiB, in the order that Linux has since 3.14 (alternate), and in that of before (original).
# raid10-n3 has three copies on four members, raid10-n2-odd two copies on three; raid1-bitmap has a write-intent bitmap,
# and the name of a host. raid6-zr, -nr, -nc have the layouts of LVM and DDF; raid5-first and -last parity on one member.
if wanted md-1x; then
  disk md-1x.raw 211 {2,2}:raid {2,2}:raid {2,2}:raid {2,3,4}:raid {2,3,4}:raid {2,2}:raid {2,2}:raid {2,2}:raid \
    {2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2}:raid {2,2,2}:raid \
    {2,2,2,2,2}:raid {2,2,2,2,2}:raid {2,2,2,2,2}:raid {2,2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid \
    {2,2,2,2}:raid {2,2,2}:raid
  arrays_of << 'JOB'
create linear-1 2 -e 1.1 --level linear
create raid0-0 2 -e 1.0 --level 0 --chunk 64
create raid0-2 2 -e 1.2 --level 0 --chunk 4
create zones-2 3 -e 1.2 --level 0 --chunk 4 --layout alternate
create zones-original-1 3 -e 1.1 --level 0 --chunk 64 --layout original
create raid1-0 2 -e 1.0 --bitmap none --level 1 --size 256
create raid1-bitmap-2 2 -e 1.2 --level 1 --size 256 --bitmap internal --homehost guest
create raid1-1 2 -e 1.1 --bitmap none --level 1 --size 256
create raid4-2 3 -e 1.2 --bitmap none --level 4 --chunk 64 --size 256
create raid5-ls-2 4 -e 1.2 --bitmap none --level 5 --chunk 4 --size 256
create raid5-la-1 4 -e 1.1 --bitmap none --level 5 --chunk 4 --size 256 --layout la
create raid5-rs-0 4 -e 1.0 --bitmap none --level 5 --chunk 64 --size 256 --layout rs
create raid5-ra-2 4 -e 1.2 --bitmap none --level 5 --chunk 4 --size 256 --layout ra
create raid5-first-2 3 -e 1.2 --bitmap none --level 5 --chunk 4 --size 256 --layout parity-first
create raid5-last-2 3 -e 1.2 --bitmap none --level 5 --chunk 4 --size 256 --layout parity-last
create raid6-2 5 -e 1.2 --bitmap none --level 6 --chunk 64 --size 256
create raid6-zr-1 5 -e 1.1 --bitmap none --level 6 --chunk 4 --size 256 --layout ddf-zero-restart
create raid6-nr-2 5 -e 1.2 --bitmap none --level 6 --chunk 4 --size 256 --layout ddf-N-restart
create raid6-nc-0 5 -e 1.0 --bitmap none --level 6 --chunk 4 --size 256 --layout ddf-N-continue
create raid10-n2-2 4 -e 1.2 --bitmap none --level 10 --chunk 64 --size 256 --layout n2
create raid10-f2-2 4 -e 1.2 --bitmap none --level 10 --chunk 4 --size 256 --layout f2
create raid10-o2-1 4 -e 1.1 --bitmap none --level 10 --chunk 4 --size 256 --layout o2
create raid10-n3-2 4 -e 1.2 --bitmap none --level 10 --chunk 4 --size 256 --layout n3
create raid10-n2-odd-0 3 -e 1.0 --bitmap none --level 10 --chunk 4 --size 256 --layout n2
JOB
  make md-1x job.sh
  later md-1x read-md.sh
fi

# md-missing: arrays that have lost members, but nothing else: their partitions are zeros. raid6 has lost one member,
# raid6-two two. Of the arrays *-stale one member failed, and then all was written again: it has what was there before,
# and an older count of events.
if wanted md-missing; then
  disk md-missing.raw 212 {2,2}:raid {2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2,2}:raid {2,2,2,2,2}:raid \
    {2,2,2,2}:raid {2,2,2,2}:raid {2,2,2,2}:raid {2,2}:raid {2,2,2}:raid {2,2}:raid
  arrays_of << 'JOB'
o='-e 1.2 --bitmap none --size 256'
create raid1 2 $o --level 1
create raid4 3 $o --level 4 --chunk 4
create raid5-ls 4 $o --level 5 --chunk 4
create raid5-ra 4 $o --level 5 --chunk 64 --layout ra
create raid6 5 $o --level 6 --chunk 4
create raid6-two 5 $o --level 6 --chunk 4
create raid10-n2 4 $o --level 10 --chunk 4 --layout n2
create raid10-f2 4 $o --level 10 --chunk 4 --layout f2
create raid10-o2 4 $o --level 10 --chunk 4 --layout o2
create raid1-stale 2 $o --level 1
in_sync
mdadm -q "$last" --fail "$disk$((next - 2))"
fill "$last" raid1-anew
create raid5-stale 3 $o --level 5 --chunk 4
in_sync
mdadm -q "$last" --fail "$disk$((next - 1))"
fill "$last" raid5-anew
create 7 2 -e 0.90 --bitmap none --size 256 --level 1
in_sync
mdadm -q "$last" --fail "$disk$((next - 1))"
fill "$last" anew
JOB
  make md-missing job.sh
  for n in 1 5 6 11 15 21 23 26 29 34; do wipe md-missing.raw "$n"; done
  pack md-missing.raw images/md-missing.qcow2
  later md-missing read-md.sh
fi

# guest_tree NAME HOST FSTAB-LINE...   the root of a guest, in base/trees/NAME
guest_tree() {
  local tree=base/trees/$1
  make_tiny_tree "$tree" "$1" links
  mkdir -p "$tree"/{boot,home,root,usr/lib,var/log}
  mv "$tree/etc/os-release" "$tree/usr/lib/"
  ln -s ../usr/lib/os-release "$tree/etc/os-release"
  echo "$2" > "$tree/etc/hostname"
  printf '%s\n' "${@:3}" > "$tree/etc/fstab"
  lines 20000 11 > "$tree/var/log/messages"
  still "$tree"
}
# guest_boot NAME   its /boot and its EFI system partition, in base/trees/NAME-boot and -efi
guest_boot() {
  mkdir -p "base/trees/$1-boot/grub2" "base/trees/$1-efi/EFI/guest"
  lines 60000 12 > "base/trees/$1-boot/vmlinuz-6.1"
  echo 'linux /vmlinuz-6.1' > "base/trees/$1-boot/grub2/grub.cfg"
  echo 'configfile' > "base/trees/$1-efi/EFI/guest/grub.cfg"
  still "base/trees/$1-boot"
  still "base/trees/$1-efi"
}
# guest_home NAME   in base/trees/NAME-home
guest_home() {
  mkdir -p "base/trees/$1-home/user/Documents"
  lines 30000 13 > "base/trees/$1-home/user/Documents/long.txt"
  echo 'export EDITOR=vi' > "base/trees/$1-home/user/.profile"
  ln -s Documents/long.txt "base/trees/$1-home/user/link"
  still "base/trees/$1-home"
}
fat=C12A7328-F81F-11D2-BA4B-00A0C93EC93B bios=21686148-6449-6E6F-744E-656564454649

# rhel: as the installer of Red Hat and its like lays a disk out. 1: EFI system partition, FAT. 2: /boot, XFS. 3: LVM2,
# group rhel_guest: root and home, XFS, and swap. volumes/rhel/ has the files of each.
if wanted rhel; then
  guest_tree rhel rhel.example '/dev/mapper/rhel_guest-root / xfs defaults 0 0' \
    "UUID=$(uuid 222) /boot xfs defaults 0 0" 'UUID=0B5C-0D41 /boot/efi vfat umask=0077,shortname=winnt 0 2' \
    '/dev/mapper/rhel_guest-home /home xfs defaults 0 0' '/dev/mapper/rhel_guest-swap none swap defaults 0 0'
  guest_boot rhel
  guest_home rhel
  disk rhel.raw 220 40:$fat 300:L 640:lvm
  { echo "boot_uuid=$(uuid 222) root_uuid=$(uuid 223) home_uuid=$(uuid 224) swap_uuid=$(uuid 225)"; cat << 'JOB'; } > job.sh
d=$disk
xfs() { mkfs.xfs -q -i nrext64=1 -m "bigtime=1,inobtcount=1,reflink=1,uuid=$1" "$2"; }
mkfs.vfat --invariant -F 32 -i 0b5c0d41 "${d}1"
xfs "$boot_uuid" "${d}2"
lvm pvcreate -q -y "${d}3"
lvm vgcreate -q rhel_guest "${d}3"
lvm lvcreate -q -y -Wn -Zn -n swap -L 16m rhel_guest
lvm lvcreate -q -y -Wn -Zn -n home -L 300m rhel_guest
lvm lvcreate -q -y -Wn -Zn -n root -L 300m rhel_guest
lvm lvextend -q -L +16m rhel_guest/root
xfs "$root_uuid" /dev/rhel_guest/root
xfs "$home_uuid" /dev/rhel_guest/home
mkswap -U "$swap_uuid" /dev/rhel_guest/swap
put rhel /dev/rhel_guest/root xfs
put rhel-home /dev/rhel_guest/home xfs
put rhel-boot "${d}2" xfs
put rhel-efi "${d}1" vfat
JOB
  cat > read.sh << 'JOB'
lvm vgchange -q -ay
volumes_of_lvm
files rhel_guest-root /dev/rhel_guest/root xfs
files rhel_guest-home /dev/rhel_guest/home xfs
files part1 "${disk}1" vfat utf8 nomode
files part2 "${disk}2" xfs
lvm vgchange -q -an
JOB
  make rhel job.sh read.sh
  later rhel read.sh
fi

# ubuntu: as Ubuntu's installer does with encryption. 1: for GRUB, without content. 2: /boot, ext4. 3: LUKS2 (argon2id,
# AES-XTS with 256 bits; the passphrase is "guest secret"), in it LVM2, group ubuntu-vg: ubuntu-lv, ext4.
if wanted ubuntu; then
  guest_tree ubuntu ubuntu.example '/dev/mapper/ubuntu--vg-ubuntu--lv / ext4 defaults 0 1' \
    "/dev/disk/by-uuid/$(uuid 232) /boot ext4 defaults 0 1"
  echo "dm_crypt-0 UUID=$(uuid 233) none luks" > base/trees/ubuntu/etc/crypttab
  still base/trees/ubuntu
  guest_boot ubuntu
  disk ubuntu.raw 230 1:$bios 16:L 40:L
  { echo "boot_uuid=$(uuid 232) luks_uuid=$(uuid 233) root_uuid=$(uuid 234)"; cat << 'JOB'; } > job.sh
d=$disk
ext4() { mkfs.ext4 -q -b 4096 -N 128 -J size=4 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 -U "$1" "$2"; }
ext4 "$boot_uuid" "${d}2"
printf 'guest secret' | cryptsetup luksFormat -q --type luks2 --uuid "$luks_uuid" --pbkdf argon2id --pbkdf-memory 1024 \
  --pbkdf-force-iterations 4 --pbkdf-parallel 1 --luks2-metadata-size 16k --luks2-keyslots-size 256k --cipher aes-xts-plain64 \
  --key-size 256 --key-file - "${d}3"
unlock "${d}3"
lvm pvcreate -q -y "$unlocked"
lvm vgcreate -q ubuntu-vg "$unlocked"
lvm lvcreate -q -y -Wn -Zn -n ubuntu-lv -l 100%FREE ubuntu-vg
ext4 "$root_uuid" /dev/ubuntu-vg/ubuntu-lv
put ubuntu /dev/ubuntu-vg/ubuntu-lv ext4 noinit_itable
put ubuntu-boot "${d}2" ext4 noinit_itable
lvm vgchange -q -an
cryptsetup close "$unlocked"
JOB
  cat > read.sh << 'JOB'
unlock "${disk}3"
lvm vgchange -q -ay
volume "${unlocked##*/}" "$unlocked"
volumes_of_lvm
files ubuntu-vg-ubuntu-lv /dev/ubuntu-vg/ubuntu-lv ext4
files part2 "${disk}2" ext4
lvm vgchange -q -an
cryptsetup close "$unlocked"
JOB
  make ubuntu job.sh read.sh
  later ubuntu read.sh
fi

# fedora: as Fedora's installer lays a disk out. 1: EFI system partition, FAT. 2: /boot, ext4. 3: Btrfs, zstd, with the
# subvolumes root00 and home00 (so it calls them where there are others already), which /etc/fstab names. It has no
# volumes; its files are in volumes/fedora/.
if wanted fedora; then
  guest_tree fedora fedora.example "UUID=$(uuid 243) / btrfs subvol=root00,compress=zstd:1 0 0" \
    "UUID=$(uuid 242) /boot ext4 defaults 1 2" 'UUID=0B5C-0D42 /boot/efi vfat umask=0077,shortname=winnt 0 2' \
    "UUID=$(uuid 243) /home btrfs subvol=home00,compress=zstd:1 0 0"
  guest_boot fedora
  guest_home fedora
  disk fedora.raw 240 40:$fat 16:L 120:L
  { echo "boot_uuid=$(uuid 242) root_uuid=$(uuid 243)"; cat << 'JOB'; } > job.sh
d=$disk
mkfs.vfat --invariant -F 32 -i 0b5c0d42 "${d}1"
mkfs.ext4 -q -b 4096 -N 128 -J size=4 -U "$boot_uuid" "${d}2"
mkfs.btrfs -q -m single -L fedora -U "$root_uuid" "${d}3"
mount -t btrfs -o compress=zstd:1 "${d}3" /mnt
btrfs subvolume create /mnt/root00
btrfs subvolume create /mnt/home00
cp -a /trees/fedora/. /mnt/root00
cp -a /trees/fedora-home/. /mnt/home00
sync -f /mnt
fstrim /mnt
umount /mnt
put fedora-boot "${d}2" ext4
put fedora-efi "${d}1" vfat
JOB
  cat > read.sh << 'JOB'
files part1 "${disk}1" vfat utf8 nomode
files part2 "${disk}2" ext4
files part3 "${disk}3" btrfs subvolid=5
files part3-root00 "${disk}3" btrfs subvol=root00
files part3-home00 "${disk}3" btrfs subvol=home00
JOB
  make fedora job.sh read.sh
  later fedora read.sh
fi

# luks-on-lv: LVM2 on the first partition, group vault: secret is LUKS1 (the passphrase is "guest secret") with ext2 in
# it, plain is ext2 by itself.
if wanted luks-on-lv; then
  make_tiny_tree base/trees/secret secret links
  make_tiny_tree base/trees/plain plain links
  disk luks-on-lv.raw 250 24:lvm
  { echo "luks_uuid=$(uuid 251) secret_uuid=$(uuid 252) plain_uuid=$(uuid 253)"; cat << 'JOB'; } > job.sh
ext2() { mkfs.ext4 -q -t ext2 -b 1024 -N 64 -E nodiscard -U "$1" "$2"; }
lvm pvcreate -q -y "${disk}1"
lvm vgcreate -q -s 1m vault "${disk}1"
lvm lvcreate -q -y -Wn -Zn -n secret -l 4 vault
lvm lvcreate -q -y -Wn -Zn -n plain -l 3 vault
lvm lvextend -q -l 7 vault/secret
printf 'guest secret' | cryptsetup luksFormat -q --type luks1 --uuid "$luks_uuid" --pbkdf-force-iterations 1000 \
  --cipher aes-xts-plain64 --key-size 256 --hash sha256 --key-file - /dev/vault/secret
unlock /dev/vault/secret
ext2 "$secret_uuid" "$unlocked"
ext2 "$plain_uuid" /dev/vault/plain
put secret "$unlocked" ext2
put plain /dev/vault/plain ext2
cryptsetup close "$unlocked"
JOB
  cat > read.sh << 'JOB'
lvm vgchange -q -ay
volumes_of_lvm
unlock /dev/vault/secret
volume "${unlocked##*/}" "$unlocked"
files "${unlocked##*/}" "$unlocked" ext2
files vault-plain /dev/vault/plain ext2
cryptsetup close "$unlocked"
lvm vgchange -q -an
JOB
  make luks-on-lv job.sh read.sh
  later luks-on-lv read.sh
fi

check
