using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>Damages one to three fields of an image's metadata: the same seed does the same in every run.</summary>
internal sealed class ImageMutator(DamageSubject subject)
{
    private const ulong L2Flags = 0xFF00_0000_0000_01FF;

    private readonly ImageFields _fields = new(subject);

    public DamageSubject Subject => subject;

    /// <returns>The image, and what was done to it.</returns>
    public (byte[] Image, string Description) Mutate(int seed)
    {
        // Not the same damage to all of them.
        Random random = new(seed + subject.Image.Length);
        byte[] image = [.. subject.Image];
        List<string> done = [$"'{subject.Name}', seed {seed}"];
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            ImageField field = Pick(random);
            ulong old = Read(image, field);
            if (random.Next(12) == 0)
            {
                ImageField other = Pick(random);
                Set(other, old);
                Set(field, Read(subject.Image, other));
            }
            else
            {
                Set(field, NewValue(image, field, old, random));
            }
        }

        void Set(ImageField field, ulong value)
        {
            ulong old = Read(image, field);
            Write(image, field, value);
            done.Add($"{field.Kind} at {field.Offset}: 0x{old:x} -> 0x{Read(image, field):x}");
        }

        return (image, string.Join(", ", done));
    }

    private ImageField Pick(Random random)
    {
        ImageField[] kind = _fields.ByKind[random.Next(_fields.ByKind.Count)];
        return kind[random.Next(kind.Length)];
    }

    private ulong NewValue(byte[] image, ImageField field, ulong old, Random random)
    {
        long length = image.Length;
        ulong cluster = (ulong)_fields.ClusterSize;
        switch (random.Next(18))
        {
            case 0:
                return 0;
            case 1:
                return 1;
            case 2:
                return ulong.MaxValue;
            case 3:
                return (ulong)long.MaxValue >> (64 - (8 * field.Width));
            case 4:
                return 1UL << ((8 * field.Width) - 1);
            case 5:
                return (ulong)(length + random.Next(-9, 10));
            case 6:
                return (old & L2Flags) | (((ulong)length + cluster - 1) & (ulong)-(long)cluster);
            case 7:
                return old + cluster;
            case 8:
                return old - cluster;
            case 9 or 10:
                return (ulong)_fields.Tables[random.Next(_fields.Tables.Count)];
            case 11 or 12:
                return (old & L2Flags) | (ulong)_fields.Tables[random.Next(_fields.Tables.Count)];
            case 13:
                return old + 1;
            case 14:
                return old - 1;
            case 15:
                return (ulong)random.NextInt64();
            default:
                return old ^ (1UL << random.Next(8 * field.Width));
        }
    }

    private static ulong Read(byte[] image, ImageField field)
    {
        ulong value = 0;
        foreach (byte part in image.AsSpan((int)field.Offset, field.Width))
        {
            value = (value << 8) | part;
        }

        return value;
    }

    private static void Write(byte[] image, ImageField field, ulong value)
    {
        switch (field.Width)
        {
            case 1:
                image.WriteU8(field.Offset, (byte)value);
                break;
            case 2:
                image.WriteU16(field.Offset, (ushort)value);
                break;
            case 4:
                image.WriteU32(field.Offset, (uint)value);
                break;
            default:
                image.WriteU64(field.Offset, value);
                break;
        }
    }
}
