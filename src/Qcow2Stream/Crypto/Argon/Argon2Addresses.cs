namespace Qcow2Stream.Crypto.Argon;

/// <summary>The numbers of one segment that don't depend on the passphrase (RFC 9106, section 3.4.1.2), made as they are asked for, in order.</summary>
internal unsafe struct Argon2Addresses
{
    private const int Counter = 6;

    private Argon2Block _input;
    private Argon2Block _addresses;

    /// <summary>Nothing is made yet.</summary>
    public Argon2Addresses(Argon2Parameters parameters, uint pass, uint slice, uint lane)
    {
        _input[0] = pass;
        _input[1] = lane;
        _input[2] = slice;
        _input[3] = (ulong)parameters.Columns * parameters.Lanes;
        _input[4] = parameters.Passes;
        _input[5] = (ulong)parameters.Kind;
    }

    /// <summary>The number for the block <paramref name="index"/> of the segment; indices never go back.</summary>
    public ulong this[uint index]
    {
        get
        {
            ulong number = (index / Argon2Block.Words) + 1;
            if (_input[Counter] != number)
            {
                _input[Counter] = number;
                Make();
            }

            return _addresses[(int)(index % Argon2Block.Words)];
        }
    }

    private void Make()
    {
        Argon2Block zero = default;
        fixed (Argon2Block* input = &_input, addresses = &_addresses)
        {
            Argon2Block.Mix(&zero, input, addresses, combine: false);
            Argon2Block.Mix(&zero, addresses, addresses, combine: false);
        }
    }
}
