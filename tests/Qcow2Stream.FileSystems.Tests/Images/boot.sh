# Read by the scripts beside it: a guest of Debian's kernel in QEMU, with an initial RAM disk made here, that runs one
# script on the disks it is given. It needs qemu-system-x86, busybox-static, kmod, cpio.

# get_kernel   sets kernel and version. GUEST_KERNEL=FOLDER: an unpacked linux-image package, else apt fetches one.
get_kernel() {
  kernel=${GUEST_KERNEL-}
  if [ -z "$kernel" ]; then
    apt-get download -q "$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2; exit }')" > /dev/null
    dpkg -x linux-image-*.deb kernel
    kernel=$PWD/kernel
  fi
  version=$(basename "$kernel"/lib/modules/*)
  depmod -b "$kernel" "$version"
}

# program NAME...   with the libraries it is linked to
program() {
  local name file
  for name in "$@"; do
    file=$(PATH=/usr/bin:/usr/sbin:/bin:/sbin command -v "$name")
    install -D "$file" "base/bin/$name"
    { ldd "$file" 2> /dev/null || true; } | sed -n 's#^[^/]*\(/[^ ]*\) (.*#\1#p' |
      while read -r file; do install -D "$file" "base$file"; done
  done
}

# make_base MODULE...   the initial RAM disk in base/: what list_tree and LVM need, modules in the order in which they load
make_base() {
  local name file
  program busybox bash sync lvm python3 sha256sum find umount mount
  mkdir -p base/{proc,sys,dev,mnt,tmp,run,results,trees} base/etc/lvm base/usr/lib
  cp -r /usr/lib/python3.11 base/usr/lib/
  rm -rf base/usr/lib/python3.11/{test,idlelib,lib2to3,ensurepip,distutils,pydoc_data,dist-packages}
  install -D /usr/lib/locale/C.utf8/LC_CTYPE base/usr/lib/locale/C.utf8/LC_CTYPE
  cp "$here/tree.sh" base/
  cat > base/etc/lvm/lvm.conf << 'LVM'
devices { use_devicesfile = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
LVM
  for name in virtio_pci virtio_blk "$@"; do
    modprobe -d "$kernel" -S "$version" --show-depends "$name" | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' > modules.txt
  while read -r file; do
    install -D -m 644 "$file" "base/modules/${file##*/}"
    echo "busybox insmod /modules/${file##*/} 2> /dev/null"
  done < modules.txt > base/modules.sh
  cat > base/init << 'INIT'
#!/bin/bash
export PATH=/bin:/sbin
/bin/busybox --install -s /bin 2> /dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
. /modules.sh
. /tree.sh
set -eE
trap 'echo "It failed: $BASH_COMMAND"' ERR
trap 'poweroff -n -f' EXIT
. /job.sh
echo 'The job is done.'
INIT
  chmod +x base/init
  ln -s bin base/sbin
}

# boot JOB QEMU-DRIVE...   runs the script JOB in the guest, with the drives as /dev/vda and so on
boot() {
  local job=$1 n=0 drive arguments=()
  shift
  cp "$job" base/job.sh
  (cd base && find . | cpio -o -H newc -R 0:0 --quiet) > initrd
  for drive in "$@"; do
    arguments+=(-drive "$drive,if=none,id=d$n,discard=unmap"
      -device "virtio-blk-pci,drive=d$n,multifunction=on,addr=$((3 + n / 8)).$((n % 8))")
    n=$((n + 1))
  done
  timeout 1200 qemu-system-x86_64 -m 2048 -smp 2 -cpu max -display none -serial file:serial.txt \
    -monitor none -no-reboot -rtc base=2024-01-01T00:00:00 -nic none -kernel "$kernel/boot/vmlinuz-$version" \
    -initrd initrd -append 'console=ttyS0 quiet gpt panic=-1' "${arguments[@]}"
  grep -q 'The job is done' serial.txt || { cat serial.txt; exit 1; }
}
