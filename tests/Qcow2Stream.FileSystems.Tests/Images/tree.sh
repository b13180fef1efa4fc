# Read by the scripts beside it: the files that go into each guest disk, and how they are listed and packed.
#
# trees/NAME.txt lists what a reader has to find in NAME.qcow2 (NAME-N.txt: in its partition N). It is written from
# the files on the side that made the disk, not read back from it. One line an entry, sorted by path in byte order:
#
#   TYPE MODE SIZE SHA256 TARGET PATH
#
# TYPE    f file, d directory, l symbolic link, p fifo, c character device
# MODE    four octal digits (setuid and the like in the first); - for links, and where the file system keeps none
# SIZE    bytes of a file, major:minor of a device, else -
# SHA256  of a file's content, else -
# TARGET  of a link, with % as %25 and space as %20, else -
# PATH    from the root, with a leading /; last in the line, so that it may have spaces. A newline would be %0A.
#
# In names and targets a byte that isn't UTF-8 is \xHH, and a backslash that would look like the beginning of that \x5c.
#
# The root itself is not listed, nor is what mkfs makes (lost+found). Hard links are two files of one content.

stamp=1704067200
export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin" SOURCE_DATE_EPOCH=$stamp E2FSPROGS_FAKE_TIME=$stamp
export E2FSCK_TIME=$stamp
umask 022

# BYTES of lines that are all different, also from those of another PART, and compress well.
lines() {
  (set +o pipefail; awk -v part="$2" 'BEGIN { for (i = 0; ; i++)
    printf "line %06d of part %d: the quick brown fox jumps over the lazy dog on a small guest disk\n", i, part
  }' 2> /dev/null | head -c "$1")
}

# make_tree FOLDER PART...   the files each disk has, and of these parts: links special names sparse many
make_tree() {
  local tree=$1 part i long
  shift
  mkdir -p "$tree/etc" "$tree/sizes" "$tree/names" "$tree/deep/2/3/4/5/6" "$tree/empty directory"
  printf 'NAME="Guest Linux"\nVERSION_ID="12"\nID=guest\nPRETTY_NAME="Guest Linux 12 (small)"\n' > "$tree/etc/os-release"
  : > "$tree/sizes/empty"
  printf 'x' > "$tree/sizes/one"
  lines 4096 1 > "$tree/sizes/block"
  lines 150001 2 > "$tree/sizes/large.txt"
  echo 'six folders down' > "$tree/deep/2/3/4/5/6/file.txt"
  echo 'spaces' > "$tree/names/with  spaces in it.txt"
  echo 'German' > "$tree/names/Grüße.txt"
  echo 'Japanese' > "$tree/names/日本.txt"
  echo 'dot' > "$tree/names/.hidden"
  for part in "$@"; do
    case $part in
      links)
        mkdir "$tree/links"
        ln -s ../etc/os-release "$tree/links/relative"
        ln -s /etc/os-release "$tree/links/absolute"
        ln -s ../etc "$tree/links/directory"
        ln -s directory/os-release "$tree/links/through-a-link"
        ln -s relative "$tree/links/link-to-a-link"
        ln -s nowhere "$tree/links/dangling"
        ln -s b "$tree/links/a"
        ln -s a "$tree/links/b"
        ln -s ../../../../etc/os-release "$tree/links/above-the-root"
        # Named by their length: ext keeps targets of up to 59 characters in the inode.
        ln -s ../etc/../etc/../etc/../etc/../etc/../etc/../../etc/os-release "$tree/links/62"
        ln -s ../etc/../etc/../etc/../etc/../etc/../etc/../etc/os-release "$tree/links/59"
        ln -s ../deep/../etc/../etc/../etc/../etc/../etc/../etc/os-release "$tree/links/60"
        ln -s "$(printf '../etc/%.0s' {1..20})../etc/os-release" "$tree/links/157" ;;
      special)
        mkdir -m 0711 "$tree/special"
        echo 'twice' > "$tree/special/first-name"
        ln "$tree/special/first-name" "$tree/special/second-name"
        echo 'secret' > "$tree/special/private"
        chmod 0600 "$tree/special/private"
        echo '#!/bin/sh' > "$tree/special/program"
        chmod 0755 "$tree/special/program"
        echo 'setuid' > "$tree/special/setuid"
        chmod 4755 "$tree/special/setuid"
        mkdir -m 1777 "$tree/special/sticky"
        mknod "$tree/special/fifo" p
        mknod "$tree/special/null" c 1 3 ;;
      names)
        long=$(printf 'a-long-name-%.0s' {1..20})
        echo 'long' > "$tree/names/${long:0:196}.txt"
        # As systemd names units of devices and mounts.
        [ "${no_backslash-}" ] || echo 'backslash' > "$tree/names/"'dev-disk-by\x2dlabel.swap' ;;
      sparse)
        lines 10000 3 > "$tree/sizes/sparse"
        truncate -s 1038576 "$tree/sizes/sparse"
        lines 10000 4 >> "$tree/sizes/sparse" ;;
      many)
        mkdir "$tree/many"
        for i in {001..160}; do echo "file $i" > "$tree/many/one-of-many-files-$i.txt"; done ;;
    esac
  done
  still "$tree"
}

# A few files only, for partitions and for what is only to be recognised. NAME tells one disk from another.
make_tiny_tree() {
  mkdir -p "$1/etc" "$1/some folder"
  printf 'NAME="Guest Linux"\nID=guest\nVARIANT_ID=%s\n' "$2" > "$1/etc/os-release"
  echo "This is $2." > "$1/some folder/which.txt"
  lines 9000 5 > "$1/some folder/lines.txt"
  [ "${3-}" != links ] || ln -s etc/os-release "$1/link"
  still "$1"
}

still() { find "$1" -exec touch -h -d "@$stamp" {} +; }

# list_tree FOLDER [nomode]
list_tree() {
  python3 - "$@" << 'PYTHON'
import hashlib, os, re, stat, sys
root = os.fsencode(sys.argv[1])
entries = []
def text(name):
    name = re.sub(rb'\\(?=x([89a-f][0-9a-f]|5c))', rb'\\x5c', name)
    return name.decode(errors='backslashreplace').encode()
def walk(folder, path):
    for name in os.listdir(folder):
        full, shown = folder + b'/' + name, path + b'/' + name
        info = os.lstat(full)
        mode = b'%04o' % stat.S_IMODE(info.st_mode) if 'nomode' not in sys.argv else b'-'
        kind, size, digest, target = b'?', b'-', b'-', b'-'
        if stat.S_ISREG(info.st_mode):
            kind, size = b'f', b'%d' % info.st_size
            with open(full, 'rb') as file:
                digest = hashlib.sha256(file.read()).hexdigest().encode()
        elif stat.S_ISDIR(info.st_mode):
            kind = b'd'
            walk(full, shown)
        elif stat.S_ISLNK(info.st_mode):
            kind, mode = b'l', b'-'
            target = text(os.readlink(full)).replace(b'%', b'%25').replace(b' ', b'%20')
        elif stat.S_ISFIFO(info.st_mode):
            kind = b'p'
        elif stat.S_ISCHR(info.st_mode):
            kind, size = b'c', b'%d:%d' % (os.major(info.st_rdev), os.minor(info.st_rdev))
        entries.append((shown, b' '.join((kind, mode, size, digest, target, text(shown).replace(b'\n', b'%0A')))))
walk(root, b'')
sys.stdout.buffer.write(b''.join(line + b'\n' for _, line in sorted(entries)))
PYTHON
}

# pack RAW QCOW2   compressed, with the cluster size that makes the smallest file
pack() {
  local size best=
  for size in 1k 2k 4k 8k 16k; do
    qemu-img convert -c -m 1 -f raw -O qcow2 -o "cluster_size=$size" "$1" "$2.$size"
    if [ -z "$best" ] || [ "$(stat -c %s "$2.$size")" -lt "$(stat -c %s "$best")" ]; then best=$2.$size; fi
  done
  mv -- "$best" "$2"
  rm -f -- "$2".*k
  qemu-img check -q -f qcow2 "$2"
}

# pack_again QCOW2   gzip on top, for the few disks that are large otherwise: the log of an xfs that was mounted, and
# the table of capital letters that each NTFS has, do not compress well cluster by cluster
pack_again() { gzip -9 -n -- "$1"; }

# make_ext RAW SIZE FOLDER UUID OPTION...   an ext file system of a folder, the same each time
make_ext() {
  local raw=$1 size=$2 folder=$3 uuid=$4 inode field
  shift 4
  truncate -s "$size" "$raw"
  mke2fs -q -F -m 0 -U "$uuid" -E "hash_seed=$uuid,root_owner=0:0,lazy_itable_init=0" "$@" -d "$folder" "$raw"
  # mkfs takes over each inode's owner and times, some of which no tool sets on a source file.
  for ((inode = 11; inode <= $(inodes_used "$raw"); inode++)); do
    for field in "ctime @$stamp" "atime @$stamp" 'uid 0' 'gid 0'; do
      printf 'set_inode_field <%d> %s\n' "$inode" "$field"
    done
  done | debugfs -w -f - "$raw" > /dev/null 2>&1
  # -D gives large directories their index. It exits with 1, "errors corrected".
  e2fsck -fyD "$raw" > /dev/null 2>&1 || [ $? -eq 1 ]
  e2fsck -fn "$raw" > /dev/null 2>&1
}

inodes_used() {
  dumpe2fs -h "$1" 2> /dev/null | awk -F: '/^Inode count/ { count = $2 } /^Free inodes/ { print count - $2 }'
}

uuid() { printf '0b5c0d2e-7c1f-4f3b-9a53-%012d\n' "$1"; }
